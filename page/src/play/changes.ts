/** What changes the state: one request after the other, each kept until it has its answer. */

import { Latest, type Answer, type Transport } from "./api";
import type { State, Store } from "./store";

/** A request of the core whose answer is the state that follows. */
export interface Change {
  request: Record<string, unknown> & { action: string };
  /** Changes that follow each other with the same text are undone together. */
  merge: string | null;
}

export interface Heard {
  /** Before anything else: there is an answer, with warnings or a fault. */
  answered: (answer: Answer) => void;
  refused: (change: Change, answer: Answer, row?: HTMLElement) => void;
  settled: (change: Change, answer: Answer) => void;
  waiting: () => void;
}

export class Changes {
  private readonly under = new Set<Change>();
  private readonly dragged = new Latest<Change>((change) => this.send(change));

  constructor(
    private readonly store: Store,
    private readonly ask: Transport,
    /** The neurons whose numbers are wanted; dragged: whether it goes on at once. */
    private readonly sight: (dragged: boolean) => string[],
    private readonly heard: Heard,
  ) {}

  /** Those that have no answer yet. */
  get unsent(): Change[] {
    return [...this.under];
  }

  /** Dragging sends only the newest value; every other change is sent, one after the other. */
  make({ request, merge }: Change, row?: HTMLElement): void {
    // asked at once: what follows in the page puts the picture's layout out of date
    const cards = this.sight(merge !== null);
    const change: Change = { request: { ...request, cards }, merge };
    for (const other of this.under) if (merge !== null && other.merge === merge) this.under.delete(other);
    this.under.add(change);
    this.heard.waiting();
    if (merge !== null) this.dragged.ask(change);
    else void this.send(change, row);
  }

  /** The request, made of the state as it is when its turn comes. */
  private async send(change: Change, row?: HTMLElement): Promise<void> {
    await this.store.alone(async () => {
      for (;;) {
        const base = this.store.state;
        const answer = await this.ask({ ...change.request, state: base });
        if (this.store.state !== base) continue; // it was undone meanwhile
        this.under.delete(change);
        this.settle(change, answer, row);
        return;
      }
    });
  }

  private settle(change: Change, answer: Answer, row?: HTMLElement): void {
    this.heard.answered(answer);
    if (answer.error) {
      this.heard.refused(change, answer, row);
      return;
    }
    this.heard.settled(change, answer);
    this.store.commit(answer["state"] as State, change.merge);
  }
}
