/** The state that is shown, what it was before, and the address that holds it. */

export interface Layer {
  weight: number[][];
  bias: number[] | number;
  activation?: string | ({ name: string } & Record<string, unknown>);
  trainable?: boolean | { weight?: unknown; bias?: unknown };
  name?: string;
  neurons?: string[];
}

export interface Example {
  input: number[];
  target: number[] | number;
  name?: string;
}

export interface Network {
  learning_rate: number;
  loss: string | ({ name: string } & Record<string, unknown>);
  optimizer?: string | ({ name: string } & Record<string, unknown>);
  layers: Layer[];
  examples: Example[];
  title?: string;
}

export interface Shown {
  example: number | "sum";
  measure: string;
  view: string;
  digits: number;
  miya: boolean;
}

export interface State {
  version: number;
  network: Network;
  initial: Layer[];
  steps: number;
  memory: Record<string, unknown>;
  seed: number;
  shown: Shown;
}

const MOST = 300; // states that undo can go back through

export class Store {
  private past: State[] = [];
  private future: State[] = [];
  private merging: string | null = null;
  private held: State | null = null;
  /** Called after each change. */
  onChange: (state: State) => void = () => undefined;

  get state(): State {
    if (!this.held) throw new Error("no state yet");
    return this.held;
  }

  get ready(): boolean {
    return this.held !== null;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** merge: changes that follow each other with the same text are undone together. */
  commit(state: State, merge: string | null = null): void {
    if (this.held && !(merge !== null && merge === this.merging)) {
      this.past.push(this.held);
      if (this.past.length > MOST) this.past.shift();
    }
    this.merging = merge;
    this.future = [];
    this.held = state;
    this.onChange(state);
  }

  private before: Promise<unknown> = Promise.resolve();

  /** What asks for a state that follows this one waits until whoever asks already is done. */
  alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.before.then(act);
    this.before = done.catch(() => undefined);
    return done;
  }

  /** The next change is undone by itself, whatever it is. */
  endMerge(): void {
    this.merging = null;
  }

  undo(): void {
    this.move(this.past, this.future);
  }

  redo(): void {
    this.move(this.future, this.past);
  }

  private move(from: State[], to: State[]): void {
    const state = from.pop();
    if (!state || !this.held) return;
    to.push(this.held);
    this.held = state;
    this.merging = null;
    this.onChange(state);
  }
}

/** The name of what has a name, or a table with a name and options. */
export function named(value: string | { name: string } | undefined, plain: string): string {
  return typeof value === "string" ? value : (value?.name ?? plain);
}
