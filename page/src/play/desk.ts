/** What a panel works with. */

import type { Words } from "../words";
import type { Answer } from "./api";
import type { Choices, Edit } from "./inspector";
import type { State, Store } from "./store";

export interface Desk {
  words: Words;
  choices: Choices;
  store: Store;
  /** Asks; a fault is shown, beside `row` where one is given, and then the answer is null. */
  ask: (request: Record<string, unknown>, row?: HTMLElement) => Promise<Answer | null>;
  apply: (edit: Edit, row?: HTMLElement) => void;
  open: (state: State) => void;
  say: (text: string) => void;
  language: string;
}
