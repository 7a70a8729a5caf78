/** "Guess first": asks for the sign, then the number, before a value is shown. */

import { judge, signOf, type Sign } from "./judge";
import type { Picture } from "./picture";
import { byId, type Steps } from "./steps";
import type { Words } from "./words";

const SIGNS: [Sign, string][] = [
  ["positive", "+"],
  ["negative", "−"],
  ["zero", "0"],
];

export class Guess {
  private on = false;
  private readonly questions: HTMLElement[];
  private answered = 0;
  private right = 0;
  private asked = 0;
  private form: HTMLElement | null = null;
  private readonly intro: HTMLElement;

  constructor(
    private readonly words: Words,
    private readonly steps: Steps,
    private readonly picture: Picture,
    signal: AbortSignal,
  ) {
    this.questions = [...document.querySelectorAll<HTMLElement>(".calculation")];
    for (const q of this.questions) q.dataset["label"] = label(q);
    this.intro = document.querySelector<HTMLElement>(".guess-intro") as HTMLElement;
    byId("guess").addEventListener("click", () => this.toggle(), { signal });
    steps.onLimit = () => this.remind();
  }

  get asking(): boolean {
    return this.on;
  }

  toggle(): void {
    this.on = !this.on;
    this.answered = this.right = this.asked = 0;
    byId("guess").setAttribute("aria-pressed", String(this.on));
    document.documentElement.classList.toggle("guess", this.on);
    this.intro.hidden = !this.on;
    this.intro.textContent = this.on ? this.words.say("guess_intro") : "";
    for (const answer of document.querySelectorAll(".answer")) answer.remove();
    this.next(false);
  }

  /** Hides the result of every question from the first unanswered one on, and all after it. */
  private next(focus: boolean): void {
    this.form?.remove();
    this.form = null;
    const question = this.on ? this.questions[this.answered] : undefined;
    this.questions.forEach((q, k) => conceal(q, this.on && k >= this.answered));
    for (const e of document.querySelectorAll("#story .later")) {
      e.classList.remove("later");
    }
    this.picture.conceal(question !== undefined);
    if (!question) {
      this.steps.setLimit(Infinity);
      return;
    }
    hideAfter(question);
    this.steps.setLimit(this.stepOf(question));
    this.ask(question, focus);
  }

  private stepOf(question: HTMLElement): number {
    return this.steps.sections.findIndex((s) => s.contains(question));
  }

  private ask(question: HTMLElement, focus: boolean): void {
    const legend = element("legend", this.words.say("guess_sign", this.subject(question)));
    const signs = element("fieldset");
    signs.append(legend);
    for (const [sign, mark] of SIGNS) {
      const caption = `${mark} ${this.words.say(`guess_${sign}`)}`;
      const choice = button(caption, () => this.answerSign(question, sign));
      choice.dataset["sign"] = sign;
      signs.append(choice);
    }
    this.form = element("div");
    this.form.className = "guess-form";
    this.form.append(signs, this.helpers(question));
    question.append(this.form);
    if (focus) signs.querySelector("button")?.focus();
  }

  private helpers(question: HTMLElement): HTMLElement {
    const row = element("p");
    const show = button(this.words.say("guess_show"), () => this.reveal(question, "shown"));
    const rest = button(this.words.say("guess_show_step"), () => this.showStep(question));
    row.className = "helpers";
    row.append(show, " ", rest);
    return row;
  }

  private answerSign(question: HTMLElement, guess: Sign): void {
    const real = signOf(question.dataset["result"] ?? "");
    const sign = this.words.say(`guess_${real}`);
    const said = this.words.say(guess === real ? "guess_sign_right" : "guess_sign_wrong", { sign });
    this.asked += 1;
    this.right += Number(guess === real);
    if (real === "zero") {
      this.reveal(question, guess === real ? "right" : "wrong");
      return;
    }
    this.askNumber(question, `${said} ${this.words.say("guess_number")}`);
  }

  private askNumber(question: HTMLElement, said: string): void {
    const form = element("form") as HTMLFormElement;
    const caption = element("label", said);
    const field = element("input") as HTMLInputElement;
    const problem = element("p");
    problem.setAttribute("role", "status");
    field.id = "guess-number";
    field.autocomplete = "off";
    field.setAttribute("inputmode", "text");
    caption.setAttribute("for", field.id);
    form.noValidate = true;
    form.append(caption, " ", field, " ", submit(this.words.say("guess_check")), problem);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const verdict = judge(question.dataset["result"] ?? "", field.value);
      if (verdict) this.reveal(question, verdict);
      else problem.textContent = this.words.say("guess_no_number");
    });
    this.form?.querySelector("fieldset")?.replaceWith(form);
    field.focus();
  }

  private reveal(question: HTMLElement, verdict: "right" | "close" | "wrong" | "shown"): void {
    if (verdict !== "shown") {
      this.asked += 1;
      this.right += Number(verdict === "right");
    }
    const value = (question.dataset["result"] ?? "").replace("-", "−");
    const answer = element("p", this.words.say(`guess_${verdict}`, { value }));
    answer.className = `answer ${verdict}`;
    question.append(answer);
    this.answered += 1;
    const score = this.words.say("guess_score", { right: this.right, asked: this.asked });
    this.intro.textContent = `${answer.textContent} ${score}`;
    this.next(true);
  }

  private showStep(question: HTMLElement): void {
    const step = this.stepOf(question);
    while (this.answered < this.questions.length) {
      const next = this.questions[this.answered];
      if (!next || this.stepOf(next) !== step) break;
      this.answered += 1;
    }
    this.next(false);
    byId("forward").focus();
  }

  private remind(): void {
    const question = this.questions[this.answered];
    if (!question) return;
    this.intro.textContent = this.words.say("guess_first_this", this.subject(question));
    this.steps.go(this.stepOf(question));
    this.form?.querySelector<HTMLElement>("button, input")?.focus();
  }

  private subject(question: HTMLElement): Record<string, string> {
    return { symbol: question.dataset["ref"] ?? "" };
  }
}

function label(question: HTMLElement): string {
  return question.querySelector(".flow")?.getAttribute("aria-label") ?? "";
}

/** Without its result, a calculation is read out only up to it. */
function conceal(question: HTMLElement, hidden: boolean): void {
  const whole = question.dataset["label"] ?? "";
  const said = hidden ? whole.slice(0, Number(question.dataset["cut"])) : whole;
  question.classList.toggle("asking", hidden);
  question.querySelector(".flow")?.setAttribute("aria-label", said);
}

/** What follows a question in its step waits: it may show the value. */
function hideAfter(question: HTMLElement): void {
  let at: Element = question;
  while (!at.matches("section.step")) {
    for (let e = at.nextElementSibling; e; e = e.nextElementSibling) e.classList.add("later");
    at = at.parentElement as Element;
  }
}

function element(tag: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function button(text: string, act: () => void): HTMLButtonElement {
  const made = element("button", text) as HTMLButtonElement;
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function submit(text: string): HTMLButtonElement {
  const made = element("button", text) as HTMLButtonElement;
  made.type = "submit";
  return made;
}
