/** What opens beside the network: data, blame, lessons, marking, files. */

import type { Words } from "../words";
import type { Answer } from "./api";
import type { Choices, Edit } from "./inspector";
import type { State, Store } from "./store";
import { button, choice, download, field, make, nameIn } from "./ui";

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

interface Row {
  ref: string;
  name: string;
  rank: number;
  text: string;
  share: string;
  size: number;
  sign: number;
}

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
  );
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

interface Lesson {
  name: string;
  title: string;
  text: string[];
  state: State;
  tasks: { name: string; kind: string; text: string }[];
}

export class Lessons {
  private all: Lesson[] = [];
  private now = -1;
  private done = new Set<string>();
  /** The field that a name was last asked in. */
  private asked: HTMLInputElement | null = null;

  /** The same lessons with what was done in them, in the desk's language. */
  in(desk: Desk): Lessons {
    const found = new Lessons(this.root, desk);
    found.now = this.now;
    found.done = this.done;
    return found;
  }

  constructor(
    private readonly root: HTMLElement,
    private readonly desk: Desk,
  ) {}

  async draw(): Promise<void> {
    if (!this.all.length) {
      const answer = await this.desk.ask({ action: "lessons" });
      if (!answer) return;
      this.all = answer["lessons"] as Lesson[];
    }
    const list = make("ol", "", "lessons");
    this.all.forEach((lesson, k) => {
      const item = make("li");
      const open = button(lesson.title, () => this.open(k), "link");
      if (k === this.now) open.setAttribute("aria-current", "true");
      item.append(open);
      list.append(item);
    });
    this.root.replaceChildren(list, ...this.lesson());
  }

  /** A part that is tapped is the answer of the task that asks for one; whether there is one. */
  tapped(ref: string): boolean {
    const input = this.asked?.isConnected ? this.asked : null;
    if (input) input.value = ref;
    return input !== null;
  }

  private open(k: number): void {
    this.now = k;
    const lesson = this.all[k];
    if (lesson) this.desk.open(lesson.state);
    void this.draw();
  }

  private lesson(): HTMLElement[] {
    const lesson = this.all[this.now];
    if (!lesson) return [];
    const parts: HTMLElement[] = [make("h2", lesson.title)];
    for (const text of lesson.text) parts.push(make("p", text));
    for (const task of lesson.tasks) parts.push(this.task(lesson, task));
    return parts;
  }

  private task(lesson: Lesson, task: Lesson["tasks"][number]): HTMLElement {
    const { words } = this.desk;
    const form = make("form", "", "task");
    form.noValidate = true;
    const said = make("p", "", "said");
    said.setAttribute("role", "status");
    const key = `${lesson.name}/${task.name}`;
    const input = make("input");
    input.type = "text";
    input.autocomplete = "off";
    if (task.kind === "until") form.append(make("p", task.text));
    else form.append(field(task.text, input));
    if (task.kind === "first") input.addEventListener("focus", () => (this.asked = input));
    if (task.kind === "of") input.addEventListener("focus", () => (this.asked = null));
    const check = make("button", words.say(task.kind === "until" ? "task_done" : "task_check"));
    check.type = "submit";
    form.append(check, said);
    form.classList.toggle("done", this.done.has(key));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.mark(lesson, task.name, input.value).then((answer) => {
        if (!answer) return;
        said.textContent = String(answer["said"]);
        if (answer["right"]) this.done.add(key);
        form.classList.toggle("done", Boolean(answer["right"]));
        form.classList.toggle("not-yet", !answer["right"]);
      });
    });
    return form;
  }

  private mark(lesson: Lesson, task: string, answer: string): Promise<Answer | null> {
    const { store, ask } = this.desk;
    return ask({ action: "mark", state: store.state, lesson: lesson.name, task, answer });
  }
}

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

const FORMS = ["toml", "json", "numpy", "torch", "svg", "png", "markdown", "latex", "html"];

export function filePanel(root: HTMLElement, desk: Desk): void {
  const { words, store } = desk;
  const file = make("input");
  file.type = "file";
  file.accept = ".toml,.json";
  file.addEventListener("change", () => {
    const name = file.files?.[0]?.name ?? "";
    void textOf(file).then((text) => {
      if (text !== null) void openText(desk, opened, name, text);
    });
  });
  const opened = field(words.say("open_file"), file);
  const row = make("p", "", "acts");
  for (const form of FORMS) {
    row.append(button(nameIn(words)(form), () => void save(desk, form)));
  }
  row.append(
    button(words.say("form_state"), () => {
      download("play.miya.json", "application/json", `${JSON.stringify(store.state, null, 1)}\n`);
    }),
    button(words.say("copy_link"), () => {
      const copied = (): void => desk.say(words.say("link_copied"));
      const refused = (): void => desk.say(location.href);
      void navigator.clipboard.writeText(location.href).then(copied, refused);
    }, "of-page"),
  );
  root.replaceChildren(
    opened,
    make("h2", words.say("save_as")),
    row,
    make("p", words.say("link_hint"), "note of-page"),
  );
}

/** What was chosen, and null of nothing; the same file can be chosen again. */
async function textOf(file: HTMLInputElement): Promise<string | null> {
  const text = (await file.files?.[0]?.text()) ?? null;
  file.value = "";
  return text;
}

/** A network file, or a state that was saved here. */
async function openText(desk: Desk, row: HTMLElement, name: string, text: string): Promise<void> {
  const form = name.toLowerCase().endsWith(".json") ? "json" : "toml";
  if (form === "json") {
    try {
      const given = JSON.parse(text) as Record<string, unknown>;
      if ("version" in given && "network" in given) {
        if (await desk.ask({ action: "numbers", state: given }, row)) desk.open(given as unknown as State);
        return;
      }
    } catch {
      // the core says what is wrong with it, and where
    }
  }
  const answer = await desk.ask({ action: "open", text, form }, row);
  if (answer) desk.open(answer["state"] as State);
}

async function save(desk: Desk, form: string): Promise<void> {
  const answer = await desk.ask({ action: "export", state: desk.store.state, form });
  if (!answer) return;
  const { name, media, text, base64 } = answer as unknown as Record<string, string | undefined>;
  if (!name || !media) return;
  if (base64 !== undefined) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    download(name, media, bytes);
  } else download(name, media, text ?? "");
}
