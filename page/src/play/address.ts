/** The address that holds the state, and what a page that is left in a hurry keeps beside it. */

import { encode } from "./fragment";
import type { State } from "./store";

const SOON = 20; // milliseconds; what is new is painted first
const PAUSE = 250; // browsers refuse an address that changes too often
const KEY = "miya-play";
const MOST = 100; // marks of addresses that are kept

/** What a page had when it was left. own: marks of the addresses that it had in turn. */
interface Left {
  own: string[];
  state: State | null;
  unsent: unknown[];
}

export class Address {
  private own = [mark(location.hash.slice(1))];
  private readonly before: Left | null;
  private saved = "";
  private newest: State | null = null;
  private written: State | null = null;
  private timer = 0;

  /** unsent: changes that have no answer yet. framed: in a notebook, where there is no address. */
  constructor(
    private readonly framed: boolean,
    private readonly unsent: () => unknown[],
    private readonly onWritten: () => void,
  ) {
    this.before = framed ? null : this.taken();
    if (framed) return;
    // without the token
    if (location.search) history.replaceState(null, "", `${location.pathname}${location.hash}`);
    window.addEventListener("pagehide", () => {
      // what was typed and not yet entered is entered by this
      if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
      this.leave();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.leave();
      else kept()?.removeItem(KEY);
    });
  }

  /** Puts the state into the address; a page that is reloaded or left and come back to has it. */
  keep(state: State): void {
    if (this.framed) {
      window.parent.postMessage({ miyaState: state }, "*");
      return;
    }
    this.newest = state;
    if (!this.timer) this.timer = window.setTimeout(() => void this.write(), SOON);
  }

  private async write(): Promise<void> {
    const state = this.newest;
    this.timer = 0;
    if (!state || state === this.written) return;
    this.timer = window.setTimeout(() => void this.write(), PAUSE);
    const text = await encode(state);
    if (this.newest !== state) return;
    this.written = state;
    this.saved = text;
    this.own = [...this.own.slice(-MOST), mark(text)];
    history.replaceState(null, "", `#${text}`);
    this.onWritten();
  }

  get pending(): boolean {
    return this.newest !== this.written;
  }

  /** What somebody else put into the address, null where it is this page's own. */
  given(): string | null {
    const hash = location.hash.slice(1);
    if (!hash || hash === this.saved) return null;
    this.own = [mark(hash)];
    return hash;
  }

  /** Even a state that stands in the address is kept: a reload that began before it did opens an
   * address before it. */
  private leave(): void {
    const unsent = this.unsent();
    const left = this.newest ? { own: this.own, state: this.newest, unsent } : this.before;
    try {
      if (left) kept()?.setItem(KEY, JSON.stringify(left));
    } catch (error) {
      console.error(error); // too large for what the browser keeps; the address has the state
    }
  }

  /** What this very page had when it was left, null where it is opened for the first time. */
  left(): Left | null {
    return this.before;
  }

  private taken(): Left | null {
    const text = kept()?.getItem(KEY);
    kept()?.removeItem(KEY);
    const found = text ? (JSON.parse(text) as Left) : null;
    const again = ["reload", "back_forward"].includes(navigated());
    return again && found?.own.includes(this.own[0] ?? "") ? found : null;
  }
}

function navigated(): string {
  return (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).type;
}

/** A short text that tells two long ones apart (FNV-1a, and the length). */
function mark(text: string): string {
  let found = 0x811c9dc5;
  for (let k = 0; k < text.length; k += 1) found = Math.imul(found ^ text.charCodeAt(k), 0x01000193);
  return `${found >>> 0}.${text.length}`;
}

/** null where the browser keeps nothing, as of a page in a sandbox. */
function kept(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
