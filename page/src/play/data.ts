/** The data to learn from: a set by name, an own CSV, and which example is shown. */

import type { Desk } from "./desk";
import type { State } from "./store";
import { button, choice, field, make, nameIn, textOf } from "./ui";

export function dataPanel(root: HTMLElement, desk: Desk): void {
  const { words, choices, store } = desk;
  const now = { name: "xor", count: "40", noise: "0.1", seed: "1" };
  const pick = choice(choices.datasets, now.name, nameIn(words), (name) => (now.name = name));
  const rows = [field(words.say("dataset"), pick)];
  for (const key of ["count", "noise", "seed"] as const) {
    const input = make("input");
    input.type = "text";
    input.inputMode = "decimal";
    input.value = now[key];
    input.addEventListener("change", () => (now[key] = input.value));
    rows.push(field(words.say(`data_${key}`), input, [key]));
  }
  const use = button(words.say("use_data"), () => {
    const { name, count, noise, seed } = now;
    desk.apply({ kind: "dataset", name, count, noise, seed });
  });
  const file = make("input");
  file.type = "file";
  file.accept = ".csv,text/csv";
  file.addEventListener("change", () => {
    void textOf(file).then((text) => {
      if (text !== null) desk.apply({ kind: "csv", text }, own);
    });
  });
  const own = field(words.say("own_csv"), file);
  const network = choice(["", ...choices.examples], "", (name) => name && nameIn(words)(name), (name) => {
    void desk.ask({ action: "open", example: name }).then((answer) => {
      if (answer) desk.open(answer["state"] as State);
    });
  });
  const example = make("select");
  const all = make("option", words.say("all_examples"));
  all.value = "sum";
  example.append(all);
  store.state.network.examples.forEach((e, n) => {
    const option = make("option", e.name ?? words.say("example", { number: n }));
    option.value = String(n);
    example.append(option);
  });
  example.value = String(store.state.shown.example);
  example.addEventListener("change", () => {
    const picked = example.value === "sum" ? "sum" : Number(example.value);
    store.commit({ ...store.state, shown: { ...store.state.shown, example: picked } });
  });
  root.replaceChildren(
    field(words.say("shown_example"), example),
    ...rows,
    use,
    own,
    make("p", words.say("csv_hint"), "note"),
    field(words.say("example_network"), network),
  );
}
