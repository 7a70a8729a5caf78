/** A page of hand work, marked beside the network. */

import type { Desk } from "./desk";
import { button, field, make } from "./ui";

/** A page of hand work, pasted or chosen, marked beside the network. */
export function markPanel(root: HTMLElement, desk: Desk): void {
  const { words } = desk;
  const text = make("textarea");
  text.rows = 8;
  text.placeholder = "z1 = 0.08, ...";
  let name = "page.md";
  const file = make("input");
  file.type = "file";
  file.accept = ".md,.txt,.tex,.html,.ipynb,.csv,.toml,.json";
  const report = make("div", "", "report");
  report.setAttribute("role", "status");
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    name = chosen.name;
    void chosen.text().then((content) => (text.value = content));
  });
  const check = button(words.say("mark_page"), () => {
    const request = { action: "check", state: desk.store.state, page: text.value, name };
    void desk.ask(request, pasted).then((answer) => {
      // the report is the core's own, every text in it escaped there
      report.innerHTML = answer ? String(answer["html"]) : "";
    });
  });
  text.addEventListener("input", () => (name = "page.md"));
  const pasted = field(words.say("paste_page"), text);
  root.replaceChildren(
    pasted,
    field(words.say("or_file"), file),
    check,
    report,
  );
}
