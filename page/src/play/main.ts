/** The playground: one state, shown as picture, story, curves and panels. */

import { Words } from "../words";
import { Address } from "./address";
import { overHttp, overMessages, type Answer, type Transport, type Waits } from "./api";
import { blamePanel } from "./blame";
import { Changes, type Change } from "./changes";
import type { Point } from "./charts";
import { dataPanel } from "./data";
import type { Desk } from "./desk";
import { filePanel } from "./files";
import { Inspector, type Choices, type Edit } from "./inspector";
import { keepLanguage, languageOf, sayAll, type Language } from "./language";
import { Lessons } from "./lessons";
import type { Numbers } from "./live";
import { markPanel } from "./marking";
import { Says } from "./says";
import { partAt, Stage } from "./stage";
import { Store, type State } from "./store";
import { PANELS, Tabs } from "./tabs";
import { Teller } from "./teller";
import { Tools } from "./tools";
import { Trail } from "./trail";
import { Training } from "./training";
import { byId, clearProblems } from "./ui";

const FORGETS = new Set(["edit", "rewind"]); // what is no step ends the curves, but for one number

class Play {
  private readonly store = new Store();
  private readonly ask: Transport;
  private words = new Words({});
  private choices!: Choices;
  private language: Language = "en";
  private asking = 0;
  private readonly address: Address;
  private readonly says = new Says(() => this.words);
  private readonly stage = new Stage(() => this.choices.page_words);
  private readonly changes: Changes;
  private readonly training: Training;
  private readonly teller: Teller;
  private readonly tools: Tools;
  private readonly tabs = new Tabs(() => this.draw());
  private inspector!: Inspector;
  private lessons!: Lessons;
  private readonly trail = new Trail(() => this.words);

  constructor() {
    const framed = document.documentElement.dataset["transport"] === "messages";
    const waits = (why: Waits | null): void => this.says.waits(why);
    const carry = framed ? overMessages(waits) : overHttp(waits);
    this.ask = async (request) => {
      this.asking += 1;
      this.note();
      const answer = await carry({ language: this.language, ...request });
      this.asking -= 1;
      // what follows from the answer comes first
      setTimeout(() => this.note(), 0);
      return answer;
    };
    this.address = new Address(framed, () => this.changes.unsent, () => this.note());
    const sight = (dragged = false): string[] => this.stage.sight(dragged);
    this.changes = new Changes(this.store, this.ask, sight, {
      answered: (answer) => this.answered(answer),
      refused: (change, answer, row) => this.refused(change, answer, row),
      settled: (change, answer) => this.settled(change, answer),
      waiting: () => this.teller.later(),
    });
    this.training = new Training(this.ask, this.store, () => sight(), {
      numbers: (numbers) => this.stage.live(numbers),
      points: (points) => this.trail.add(points),
      stopped: (answer) => this.stopped(answer),
    });
    this.teller = new Teller(this.store, this.ask, this.stage, {
      running: () => this.training.on,
      changing: () => this.changes.unsent.length > 0,
      fault: (answer) => this.says.fault(answer),
      drawn: () => this.inspector.remark(),
      told: () => this.tabs.panel !== "edit" && this.draw(),
      note: () => this.note(),
    });
    this.tools = new Tools(this.store, this.training);
    document.documentElement.classList.toggle("framed", framed);
    this.store.onChange = () => this.changed();
  }

  async start(): Promise<void> {
    document.documentElement.classList.add("js");
    this.language = languageOf();
    const hash = location.hash.slice(1);
    const left = this.address.left();
    const opening = left?.state
      ? Promise.resolve({ state: left.state } as unknown as Answer)
      : this.ask(hash ? { action: "link", hash } : { action: "open" });
    await this.speak();
    this.wire();
    const answer = await opening;
    if (answer.error) this.says.fault(answer);
    const first = answer.error ? await this.ask({ action: "open" }) : answer;
    const numbers = await this.ask({ action: "numbers", state: first["state"], cards: [] });
    if (numbers["numbers"]) this.stage.live(numbers["numbers"] as Numbers);
    this.store.commit(first["state"] as State);
    this.tools.list(this.words, this.choices);
    this.draw();
    for (const change of (left?.unsent ?? []) as Change[]) this.changes.make(change);
  }

  /** Loads the words of the language, and says them wherever the page names one. */
  private async speak(): Promise<void> {
    const found = await this.ask({ action: "choices" });
    this.choices = found as unknown as Choices;
    const texts = { ...(found["page_words"] as object), ...(found["words"] as object) };
    this.words = new Words(texts as Record<string, string>);
    sayAll(this.words, this.language);
    this.tools.list(this.words, this.choices);
  }

  private wire(): void {
    const on = (id: string, act: () => void): void => byId(id).addEventListener("click", act);
    on("undo", () => this.store.undo());
    on("redo", () => this.store.redo());
    on("step-once", () => this.follow("step"));
    on("run", () => this.run());
    on("rewind", () => this.follow("rewind"));
    on("reseed", () => this.apply({ kind: "reseed" }));
    on("miya", () => this.tools.show({ miya: !this.store.state.shown.miya }));
    on("language", () => void this.switchLanguage());
    on("term", () => this.stage.walk(1));
    on("term-back", () => this.stage.walk(-1));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => void this.fromAddress());
    this.inspector = this.makeInspector("C");
    this.lessons = new Lessons(byId("panel-lessons"), this.desk());
    const section = document.querySelector(".picture") as HTMLElement;
    section.addEventListener("click", (event) => this.pickFrom(event.target as Element, false));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.pickFrom(event.target as Element, true);
    });
  }

  private makeInspector(picked: string): Inspector {
    const apply = (edit: Edit, merge: string | null = null): void => this.apply(edit, merge);
    const mark = (ref: string): void => this.stage.mark(ref);
    const called = (ref: string): string => this.stage.called(ref);
    const { store, words, choices } = this;
    return new Inspector(byId("panel-edit"), store, words, choices, apply, mark, picked, called);
  }

  private desk(): Desk {
    return {
      words: this.words,
      choices: this.choices,
      store: this.store,
      ask: (request, row) => this.told(request, row),
      apply: (edit, row) => this.apply(edit, null, row),
      open: (state) => {
        this.training.stop();
        this.forget();
        this.store.commit(state);
      },
      say: (text) => this.says.message(text),
      language: this.language,
    };
  }

  /** Asks; a fault is shown, beside `row` where one is given, and then there is no answer. */
  private async told(request: Record<string, unknown>, row?: HTMLElement): Promise<Answer | null> {
    const answer = await this.ask(request);
    this.answered(answer);
    if (answer.error) this.says.fault(answer, row);
    return answer.error ? null : answer;
  }

  private answered(answer: Answer): void {
    clearProblems();
    this.says.message(answer.error ? "" : (answer.warnings ?? []).join(" "));
  }

  private apply(edit: Edit, merge: string | null = null, row?: HTMLElement): void {
    this.changes.make({ request: { action: "edit", edit }, merge }, row);
  }

  private follow(action: "step" | "rewind"): void {
    this.changes.make({ request: { action }, merge: null });
  }

  private refused(change: Change, answer: Answer, row?: HTMLElement): void {
    const edit = change.request["edit"] as Edit | undefined;
    const chosen = edit && edit["kind"] !== "set" && !("options" in edit);
    // what was chosen is as it was
    if (chosen && this.tabs.panel === "edit") this.inspector.draw(true);
    this.says.fault(answer, row);
    this.teller.later();
  }

  private settled({ request }: Change, answer: Answer): void {
    const edit = request["edit"] as Edit | undefined;
    if (FORGETS.has(request.action) && edit?.["kind"] !== "set") this.forget();
    if (answer["trail"]) this.trail.add(answer["trail"] as Point[]);
    this.stage.live(answer["numbers"] as Numbers);
  }

  private forget(): void {
    this.training.drop();
    this.trail.forget();
  }

  private run(): void {
    if (this.training.on) this.training.stop();
    else {
      this.stage.unlink();
      this.training.start();
    }
    this.tools.mark(this.words);
  }

  private stopped(answer: Answer | null): void {
    if (answer?.error) this.says.fault(answer);
    this.tools.mark(this.words);
    this.teller.now();
  }

  private changed(): void {
    this.tools.mark(this.words);
    if (this.tabs.panel === "edit") this.inspector.draw();
    this.trail.until(this.store.state.steps);
    this.teller.later();
    this.address.keep(this.store.state);
  }

  /** Says on the page itself whether anything is still under way. */
  private note(): void {
    const waits = this.changes.unsent.length > 0 || this.address.pending;
    const busy = this.asking > 0 || this.teller.waits || waits;
    document.documentElement.toggleAttribute("data-busy", busy);
  }

  private async fromAddress(): Promise<void> {
    const hash = this.address.given();
    if (!hash) return;
    const answer = await this.told({ action: "link", hash });
    if (!answer) return;
    this.forget();
    this.store.commit(answer["state"] as State);
  }

  private pickFrom(target: Element, focus: boolean): void {
    const ref = partAt(target);
    if (!ref) return;
    if (this.tabs.panel === "lessons" && this.lessons.tapped(ref)) return;
    this.pick(ref, focus);
  }

  private pick(ref: string, focus: boolean): void {
    this.tabs.open("edit");
    this.inspector.pick(ref, focus);
  }

  private draw(): void {
    if (!this.store.ready) return;
    const { panel, root } = this.tabs;
    const typing = root.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");
    if (panel === "edit") this.inspector.draw();
    else if (panel === "blame") void blamePanel(root, this.desk(), (ref) => this.pick(ref, true));
    else if (typing || root.querySelector(".problem:not([hidden])")) return;
    else if (panel === "data") dataPanel(root, this.desk());
    else if (root.childElementCount) return;
    else if (panel === "lessons") void this.lessons.draw();
    else if (panel === "mark") markPanel(root, this.desk());
    else filePanel(root, this.desk());
  }

  private key(event: KeyboardEvent): void {
    const typing = (event.target as Element).closest("input[type=text], textarea, select");
    if (event.altKey || typing) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) this.store.redo();
      else this.store.undo();
    } else if (key === "s") this.follow("step");
    else if (key === "r") this.run();
    else if (key === ".") this.stage.walk(1);
    else if (key === ",") this.stage.walk(-1);
  }

  private async switchLanguage(): Promise<void> {
    this.language = this.language === "en" ? "ja" : "en";
    keepLanguage(this.language);
    await this.speak();
    for (const name of PANELS) byId(`panel-${name}`).replaceChildren();
    this.lessons = this.lessons.in(this.desk());
    this.inspector = this.makeInspector(this.inspector.shown);
    this.tools.mark(this.words);
    this.trail.say();
    this.draw();
    this.teller.now();
  }
}

void new Play().start();
