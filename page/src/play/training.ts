/** Many steps: asked for in parcels ahead of what is shown, and shown a frame at a time. */

import type { Answer, Transport } from "./api";
import type { Point } from "./charts";
import type { Numbers } from "./live";
import type { State, Store } from "./store";

const PARCEL = 25; // steps a request
const AHEAD = 100; // points that wait to be shown, at most

export interface Heard {
  numbers: (numbers: Numbers) => void;
  points: (points: Point[]) => void;
  stopped: (answer: Answer | null) => void;
}

export class Training {
  private running = false;
  private waiting: Point[] = [];
  private credit = 0;
  /** Steps a second; Infinity is as fast as they come. */
  speed = 60;

  constructor(
    private readonly ask: Transport,
    private readonly store: Store,
    private readonly sight: () => string[],
    private readonly heard: Heard,
  ) {}

  get on(): boolean {
    return this.running;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.waiting = [];
    this.credit = 0;
    this.store.endMerge();
    void this.fetch();
    let before = performance.now();
    const frame = (now: number): void => {
      this.credit += ((now - before) / 1000) * Math.min(this.speed, 100_000);
      before = now;
      const count = Math.min(Math.floor(this.credit), this.waiting.length);
      this.credit = Math.min(this.credit - count, Math.max(this.speed / 10, 1));
      if (count) this.heard.points(this.waiting.splice(0, count));
      if (this.running || this.waiting.length) requestAnimationFrame(frame);
      else this.heard.stopped(null);
    };
    requestAnimationFrame(frame);
  }

  /** What was not shown yet is another network's. */
  drop(): void {
    this.waiting = [];
  }

  /** Steps that were made are shown; no more are asked for. */
  stop(): void {
    this.running = false;
  }

  private async fetch(): Promise<void> {
    while (this.running) {
      if (this.waiting.length >= Math.min(AHEAD, Math.ceil(this.speed / 4))) {
        await new Promise((go) => requestAnimationFrame(go));
        continue;
      }
      await this.store.alone(() => this.parcel());
    }
  }

  private async parcel(): Promise<void> {
    if (!this.running) return;
    const from = this.store.state;
    const steps = Math.min(PARCEL, Math.max(1, Math.ceil(this.speed / 4)));
    const answer = await this.ask({ action: "step", state: from, steps, cards: this.sight() });
    if (answer.error) {
      this.running = false;
      this.heard.stopped(answer);
    } else if (this.running && this.store.state === from) {
      // else it was undone or another network opened meanwhile
      this.waiting.push(...(answer["trail"] as Point[]));
      this.store.commit(answer["state"] as State, "training");
      this.heard.numbers(answer["numbers"] as Numbers);
    }
  }
}
