/** Asks the core. What carries a request is the server's address, or the notebook's widget. */

export interface Fault {
  code: string;
  text: string;
  hint: string;
  path: (string | number)[];
  place: string;
}

export type Answer = Record<string, unknown> & { error?: Fault; warnings?: string[] };
export type Transport = (request: Record<string, unknown>) => Promise<Answer>;

const LATE = 8000; // milliseconds without an answer before it is said
const PATIENCE = [150, 400, 1000, 2500, 5000]; // milliseconds before each further try

/** closed: the server was started anew and knows this browser only by its new address. */
export type Waits = "busy" | "offline" | "closed";

/** POST /api, again where many ask at once or the line is down; a change is never lost by it. */
export function overHttp(onWaiting: (why: Waits | null) => void): Transport {
  return async (request) => {
    const body = JSON.stringify(request);
    for (let tries = 0; ; tries += 1) {
      let why: Waits = "busy";
      try {
        const headers = { "content-type": "application/json" };
        const answer = await fetch("api", { method: "POST", headers, body });
        if (answer.status === 403) why = "closed";
        else if (answer.status === 503) why = "offline"; // it is being stopped
        else if (answer.status !== 429) {
          const found = (await answer.json()) as Answer;
          onWaiting(null);
          return found;
        }
      } catch {
        why = "offline";
      }
      onWaiting(why);
      await pause(PATIENCE[Math.min(tries, PATIENCE.length - 1)] ?? 0);
    }
  };
}

/** Through the widget that shows the page in a notebook: its frame passes messages on. */
export function overMessages(onWaiting: (why: "offline" | null) => void): Transport {
  let last = 0;
  const waiting = new Map<number, (answer: Answer) => void>();
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    const { miya, answer } = event.data as { miya?: number; answer?: Answer };
    if (miya === undefined || !answer) return;
    waiting.get(miya)?.(answer);
    waiting.delete(miya);
    if (!waiting.size) onWaiting(null);
  });
  return (request) =>
    new Promise((resolve) => {
      last += 1;
      const mine = last;
      waiting.set(mine, resolve);
      setTimeout(() => waiting.has(mine) && onWaiting("offline"), LATE);
      window.parent.postMessage({ miya: last, request }, "*");
    });
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * One request at a time of one kind: of those that wait only the newest is sent, and an answer
 * that a newer request has overtaken is not given.
 */
export class Latest<T> {
  private running = false;
  private next: T | null = null;

  constructor(private readonly run: (wanted: T) => Promise<void>) {}

  ask(wanted: T): void {
    this.next = wanted;
    if (!this.running) void this.go();
  }

  private async go(): Promise<void> {
    this.running = true;
    while (this.next !== null) {
      const wanted = this.next;
      this.next = null;
      try {
        await this.run(wanted);
      } catch (error) {
        console.error(error);
      }
    }
    this.running = false;
  }
}
