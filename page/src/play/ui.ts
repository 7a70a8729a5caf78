/** Small pieces of the page, made by hand so that every text is a text. */

import type { Words } from "../words";

export { byId } from "../steps";

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = "",
  kind = "",
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

export function button(text: string, act: () => void, kind = ""): HTMLButtonElement {
  const made = make("button", text, kind);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** Sets a text that is another one: to set the same would have it laid out again. */
export function setText(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

export function setAttribute(place: Element, name: string, value: string): void {
  if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

let count = 0;

/** A labelled field in a row of its own, with room for what is wrong with it. */
export function field(
  caption: string,
  control: HTMLElement,
  path: (string | number)[] | null = null,
): HTMLElement {
  const row = make("div", "", "field");
  const label = make("label", caption);
  const problem = make("p", "", "problem");
  count += 1;
  control.id = `field-${count}`;
  label.htmlFor = control.id;
  problem.id = `${control.id}-problem`;
  problem.setAttribute("role", "alert");
  problem.hidden = true;
  control.setAttribute("aria-describedby", problem.id);
  if (path) row.dataset["path"] = JSON.stringify(path);
  row.append(label, control, problem);
  return row;
}

/** Shows a fault beside the field that it is about; returns whether there is one. */
export function blameField(path: (string | number)[], said: string): boolean {
  if (!path.length) return false;
  const rows = [...document.querySelectorAll<HTMLElement>(".panel:not([hidden]) .field[data-path]")];
  const paths = rows.map((row) => (row.dataset["path"] ?? "").slice(1, -1));
  for (let length = path.length; length > 0; length -= 1) {
    const wanted = JSON.stringify(path.slice(0, length)).slice(1, -1);
    const row = rows[paths.indexOf(wanted)];
    if (row && problemIn(row, said)) return true;
  }
  // of a fault in a whole, such as an example's target, the first of its parts
  const part = rows[paths.findIndex((p) => p.startsWith(`${JSON.stringify(path).slice(1, -1)},`))];
  return part !== undefined && problemIn(part, said);
}

/** Shows a fault in a row of its own; returns whether it has room for one. */
export function problemIn(row: HTMLElement, said: string): boolean {
  const problem = row.querySelector<HTMLElement>(".problem");
  const control = row.querySelector<HTMLElement>("input, select, textarea");
  if (!problem || !control || !row.isConnected) return false;
  problem.textContent = said;
  problem.hidden = false;
  control.setAttribute("aria-invalid", "true");
  return true;
}

export function clearProblems(): void {
  const desk = document.querySelector(".desk") as HTMLElement;
  for (const problem of desk.querySelectorAll<HTMLElement>(".problem:not([hidden])")) {
    problem.hidden = true;
    problem.textContent = "";
  }
  for (const control of desk.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
  }
}

export function choice(
  names: readonly string[],
  chosen: string,
  say: (name: string) => string,
  onPick: (name: string) => void,
): HTMLSelectElement {
  const made = make("select");
  for (const name of names) {
    const option = make("option", say(name));
    option.value = name;
    option.selected = name === chosen;
    made.append(option);
  }
  made.addEventListener("change", () => onPick(made.value));
  return made;
}

// names that are the same in every language
const PROPER: Record<string, string> = {
  toml: "TOML", json: "JSON", svg: "SVG", png: "PNG", markdown: "Markdown", latex: "LaTeX",
  html: "HTML", xor: "XOR", sgd: "SGD", adam: "Adam", adamw: "AdamW", rmsprop: "RMSprop",
  adagrad: "AdaGrad", relu: "ReLU", leaky_relu: "Leaky ReLU", elu: "ELU", silu: "SiLU",
  gelu: "GELU", tanh: "tanh", amsgrad: "AMSGrad", alpha: "α", eps: "ε", betas: "β₁; β₂",
};

/** A text of the words, or the plain name where they have none of it. */
export function nameIn(words: Words): (name: string) => string {
  return (name) => {
    const found = PROPER[name] ?? words.say(`name_${name}`);
    return found.startsWith("name_") ? name.replaceAll("_", " ") : found;
  };
}

export function download(name: string, media: string, content: BlobPart): void {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([content], { type: media }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What was chosen, and null of nothing; the same file can be chosen again. */
export async function textOf(file: HTMLInputElement): Promise<string | null> {
  const text = (await file.files?.[0]?.text()) ?? null;
  file.value = "";
  return text;
}
