/** The tools above the picture: what they choose from, and which of them can be used. */

import type { Words } from "../words";
import type { Choices } from "./inspector";
import type { Shown, Store } from "./store";
import type { Training } from "./training";
import { byId, choice, nameIn, setAttribute, setText } from "./ui";

const SPEEDS = [1, 5, 20, 60, Infinity];
const PICKED = ["measure", "view"] as const;

export class Tools {
  constructor(
    private readonly store: Store,
    private readonly training: Training,
  ) {}

  /** Lists what can be chosen, in the language of the words. */
  list(words: Words, choices: Choices): void {
    const say = nameIn(words);
    for (const key of PICKED) {
      const names = choices[`${key}s`];
      const now = this.store.ready ? this.store.state.shown[key] : (names[0] ?? "");
      const made = choice(names, now, say, (name) => this.show({ [key]: name }));
      made.setAttribute("aria-label", words.say(key));
      made.id = `pick-${key}`;
      byId(`${key}s`).replaceChildren(made);
    }
    const speed = choice(SPEEDS.map(String), String(this.training.speed), (name) =>
      name === "Infinity" ? words.say("fastest") : words.say("speed", { count: name }), (name) => {
        this.training.speed = Number(name);
      });
    speed.setAttribute("aria-label", words.say("speed_label"));
    byId("speeds").replaceChildren(speed);
  }

  show(what: Partial<Shown>): void {
    const { state } = this.store;
    this.store.commit({ ...state, shown: { ...state.shown, ...what } });
  }

  /** As the state has them. */
  mark(words: Words): void {
    const { store, training } = this;
    const { steps, shown } = store.state;
    setAttribute(byId("undo"), "aria-disabled", String(!store.canUndo));
    setAttribute(byId("redo"), "aria-disabled", String(!store.canRedo));
    setText(byId("run"), words.say(training.on ? "pause" : "run"));
    setAttribute(byId("run"), "aria-pressed", String(training.on));
    if (!training.on) setText(byId("steps-now"), String(steps));
    setAttribute(byId("miya"), "aria-pressed", String(shown.miya));
    for (const key of PICKED) (byId(`pick-${key}`) as HTMLSelectElement).value = shown[key];
  }
}
