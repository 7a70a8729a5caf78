/** The address that holds the state, and what a page that is left in a hurry keeps beside it. */

import { encode } from "./fragment";
import type { State } from "./store";

const PAUSE = 250; // milliseconds; browsers refuse an address that changes too often
const KEY = "miya-play";

interface Left {
  hash: string;
  state: State;
  unsent: unknown[];
}

export class Address {
  private saved = "";
  private waiting: State | null = null;
  private timer = 0;

  /** unsent: edits that have no answer yet. framed: in a notebook, where there is no address. */
  constructor(
    private readonly framed: boolean,
    private readonly unsent: () => unknown[],
    private readonly onWritten: () => void,
  ) {
    window.addEventListener("pagehide", () => this.leave());
  }

  /** Puts the state into the address; a page that is reloaded or left and come back to has it. */
  keep(state: State): void {
    if (this.framed) {
      window.parent.postMessage({ miyaState: state }, "*");
      return;
    }
    this.waiting = state;
    if (!this.timer) void this.write();
  }

  /** At once, and then not again for a while. */
  private async write(): Promise<void> {
    const state = this.waiting;
    this.timer = 0;
    if (!state) return;
    this.timer = window.setTimeout(() => void this.write(), PAUSE);
    const text = await encode(state);
    if (this.waiting !== state) return;
    this.waiting = null;
    this.saved = text;
    history.replaceState(null, "", `#${text}`);
    this.onWritten();
  }

  get pending(): boolean {
    return this.waiting !== null;
  }

  /** What somebody else put into the address, null where it is this page's own. */
  given(): string | null {
    const hash = location.hash.slice(1);
    return hash && hash !== this.saved ? hash : null;
  }

  private leave(): void {
    const [state, unsent] = [this.waiting, this.unsent()];
    if (this.framed || (!state && !unsent.length)) return;
    kept()?.setItem(KEY, JSON.stringify({ hash: location.hash, state, unsent }));
  }

  /** What the page that was left at this very address had not written yet. */
  left(): Left | null {
    const text = kept()?.getItem(KEY);
    kept()?.removeItem(KEY);
    const found = text ? (JSON.parse(text) as Left) : null;
    return found?.hash === location.hash ? found : null;
  }
}

/** null where the browser keeps nothing, as of a page in a sandbox. */
function kept(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

export function languageKept(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
