/** The ranking of neurons and parameters by the measure that is chosen. */

import type { Words } from "../words";
import type { Desk } from "./desk";
import { button, make } from "./ui";

interface Row {
  ref: string;
  name: string;
  rank: number;
  text: string;
  share: string;
  size: number;
  sign: number;
}

export async function blamePanel(
  root: HTMLElement,
  desk: Desk,
  pick: (ref: string) => void,
): Promise<void> {
  const { words, store } = desk;
  const { state } = store;
  const { measure } = state.shown;
  const answer = await desk.ask({ action: "blame", state, measure });
  if (!answer || state !== store.state) return;
  const parts: HTMLElement[] = [make("p", String(answer["said"]))];
  if (answer["sum"] !== undefined) {
    const { sum, change, residual } = answer as unknown as Record<string, string>;
    parts.push(make("p", words.say("credit_sum", { sum: sum ?? "", change: change ?? "", residual: residual ?? "" }), "sum"));
  }
  for (const [key, title] of [["neurons", "neurons"], ["rows", "parameters"]] as const) {
    parts.push(make("h2", words.say(title)), table(answer[key] as Row[], words, pick));
  }
  root.replaceChildren(...parts);
}

function table(rows: Row[], words: Words, pick: (ref: string) => void): HTMLElement {
  const found = make("table", "", "ranking");
  const head = make("tr");
  for (const key of ["rank", "name", "value", "share"]) {
    const cell = make("th", words.say(`blame_${key}`));
    cell.scope = "col";
    head.append(cell);
  }
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr");
    const name = make("th");
    name.scope = "row";
    const label = row.ref.startsWith("n") ? `${row.ref} (${row.name})` : row.ref;
    name.append(button(label, () => pick(row.ref), "link"));
    const share = make("td", row.share);
    const bar = make("span", "", `bar-of ${row.sign < 0 ? "negative" : "positive"}`);
    bar.style.setProperty("--size", `${(row.size * 100).toFixed(1)}%`);
    share.append(bar);
    line.append(make("td", String(row.rank)), name, make("td", row.text), share);
    body.append(line);
  }
  const top = make("thead");
  top.append(head);
  found.append(top, body);
  const box = make("div", "", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", words.say("ranking"));
  box.append(found);
  return box;
}
