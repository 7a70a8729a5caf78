/** Lessons: each opens a network and asks for what Miya then marks. */

import type { Answer } from "./api";
import type { Desk } from "./desk";
import type { State } from "./store";
import { button, field, make } from "./ui";

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
      item.classList.toggle("done", this.whole(lesson));
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
        this.tick();
        form.classList.toggle("done", Boolean(answer["right"]));
        form.classList.toggle("not-yet", !answer["right"]);
      });
    });
    return form;
  }

  private whole(lesson: Lesson): boolean {
    return lesson.tasks.every((task) => this.done.has(`${lesson.name}/${task.name}`));
  }

  /** Lessons of which every task is done are ticked. */
  private tick(): void {
    [...this.root.querySelectorAll(".lessons > li")].forEach((item, k) => {
      const lesson = this.all[k];
      item.classList.toggle("done", lesson !== undefined && this.whole(lesson));
    });
  }

  private mark(lesson: Lesson, task: string, answer: string): Promise<Answer | null> {
    const { store, ask } = this.desk;
    return ask({ action: "mark", state: store.state, lesson: lesson.name, task, answer });
  }
}
