/** The playground: one state, shown as picture, story, curves and panels. */

import { startCuts } from "../cut";
import { Guess } from "../guess";
import { Links } from "../links";
import { Picture } from "../picture";
import { Steps } from "../steps";
import { Words } from "../words";
import { Address, languageKept } from "./address";
import { Latest, overHttp, overMessages, type Answer, type Transport } from "./api";
import { Curves, drawBoundary, type Boundary, type Point } from "./charts";
import { Inspector, type Choices, type Edit } from "./inspector";
import { setNumbers, type Numbers } from "./live";
import { blamePanel, dataPanel, filePanel, Lessons, markPanel, type Desk } from "./panels";
import { Store, type State } from "./store";
import { Training } from "./training";
import { blameField, byId, choice, clearProblems, make, nameIn, problemIn } from "./ui";
import { walk } from "./walk";

const REST = 150; // milliseconds without a change before picture and story are told anew
const PANELS = ["edit", "data", "blame", "lessons", "mark", "file"] as const;
const SPEEDS = [1, 5, 20, 60, Infinity];

type Panel = (typeof PANELS)[number];
const NOTHING = { code: "", text: "", hint: "", path: [], place: "" };

type Change = { edit: Edit; merge: string | null };

class Play {
  private readonly store = new Store();
  private readonly ask: Transport;
  private words = new Words({});
  private choices!: Choices;
  private language = "en";
  private panel: Panel = "edit";
  private shown = new AbortController();
  private steps: Steps | null = null;
  private guess: Guess | null = null;
  private links: Links | null = null;
  private names: Record<string, string> = {};
  private asking = 0;
  private rest = 0;
  /** Milliseconds that the last picture took to be put in. */
  private drawn = 0;
  private readonly address: Address;
  private readonly unsent = new Set<Change>();
  private inspector!: Inspector;
  private lessons!: Lessons;
  private training!: Training;
  private loss!: Curves;
  private blame!: Curves;
  private readonly edits = new Latest<Change>((change) => this.send(change));
  private readonly views = new Latest<State>((state) => this.tell(state));

  constructor() {
    const framed = document.documentElement.dataset["transport"] === "messages";
    const waits = (why: "busy" | "offline" | null): void => this.wait(why);
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
    this.address = new Address(framed, () => [...this.unsent], () => this.note());
    document.documentElement.classList.toggle("framed", framed);
    this.store.onChange = () => this.changed();
  }

  async start(): Promise<void> {
    document.documentElement.classList.add("js");
    const wanted = document.documentElement.dataset["language"];
    const kept = wanted || languageKept()?.getItem("miya-language");
    this.language = kept === "ja" || kept === "en" ? kept : navigator.language.startsWith("ja") ? "ja" : "en";
    const hash = location.hash.slice(1);
    const left = this.address.left();
    if (location.search) history.replaceState(null, "", `${location.pathname}${location.hash}`); // without the token
    const opening = left?.state
      ? Promise.resolve({ state: left.state } as unknown as Answer)
      : this.ask(hash ? { action: "link", hash } : { action: "open" });
    await this.speak();
    this.wire();
    const answer = await opening;
    if (answer.error) this.fault(answer);
    const first = answer.error ? await this.ask({ action: "open" }) : answer;
    const numbers = await this.ask({ action: "numbers", state: first["state"] });
    if (numbers["numbers"]) this.live(numbers["numbers"] as Numbers);
    this.store.commit(first["state"] as State);
    this.chooseLists();
    this.draw();
    for (const { edit, merge } of (left?.unsent ?? []) as Change[]) this.apply(edit, merge);
  }

  /** Loads the words of the language, and says them wherever the page names one. */
  private async speak(): Promise<void> {
    const found = await this.ask({ action: "choices" });
    this.choices = found as unknown as Choices;
    const texts = { ...(found["page_words"] as object), ...(found["words"] as object) };
    this.words = new Words(texts as Record<string, string>, this.names);
    document.documentElement.lang = this.language;
    document.title = this.words.say("play_title");
    for (const place of document.querySelectorAll<HTMLElement>("[data-say]")) {
      place.textContent = this.words.say(place.dataset["say"] ?? "");
    }
    for (const place of document.querySelectorAll<HTMLElement>("[data-label]")) {
      const said = this.words.say(place.dataset["label"] ?? "");
      place.setAttribute("aria-label", said);
      if (place.matches("button")) place.title = said;
    }
    this.chooseLists();
  }

  private chooseLists(): void {
    const say = nameIn(this.words);
    const shown = this.store.ready ? this.store.state.shown : null;
    const pick = (key: "measure" | "view", names: readonly string[]): HTMLElement => {
      const made = choice(names, shown?.[key] ?? names[0] ?? "", say, (name) => {
        this.store.commit({ ...this.store.state, shown: { ...this.store.state.shown, [key]: name } });
      });
      made.setAttribute("aria-label", this.words.say(key));
      made.id = `pick-${key}`;
      return made;
    };
    byId("measures").replaceChildren(pick("measure", this.choices.measures));
    byId("views").replaceChildren(pick("view", this.choices.views));
    const speed = choice(SPEEDS.map(String), String(this.training?.speed ?? 60), (name) =>
      name === "Infinity" ? this.words.say("fastest") : this.words.say("speed", { count: name }), (name) => {
        this.training.speed = Number(name);
      });
    speed.setAttribute("aria-label", this.words.say("speed_label"));
    byId("speeds").replaceChildren(speed);
  }

  private wire(): void {
    const on = (id: string, act: () => void): void => byId(id).addEventListener("click", act);
    on("undo", () => this.store.undo());
    on("redo", () => this.store.redo());
    on("step-once", () => void this.stepOnce());
    on("run", () => this.run());
    on("rewind", () => void this.rewind());
    on("reseed", () => this.apply({ kind: "reseed" }));
    on("miya", () => {
      const { shown } = this.store.state;
      this.store.commit({ ...this.store.state, shown: { ...shown, miya: !shown.miya } });
    });
    on("language", () => void this.switchLanguage());
    on("term", () => this.walk(1));
    on("term-back", () => this.walk(-1));
    for (const panel of PANELS) on(`tab-${panel}`, () => this.open(panel));
    byId("tabs").addEventListener("keydown", (event) => this.tabKey(event));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => void this.fromAddress());
    const desk = this.desk();
    this.inspector = this.makeInspector("C");
    this.lessons = new Lessons(byId("panel-lessons"), desk);
    this.loss = new Curves(byId("loss-curve") as HTMLCanvasElement, (p) => [p.loss]);
    this.blame = new Curves(byId("blame-curve") as HTMLCanvasElement, (p) => p.pressure);
    this.training = new Training(
      this.ask,
      this.store,
      (numbers) => this.live(numbers),
      (points) => this.draws(points),
      (answer) => this.stopped(answer),
    );
    const section = document.querySelector(".picture") as HTMLElement;
    section.addEventListener("click", (event) => this.pickFrom(event.target as Element, false));
    section.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.pickFrom(event.target as Element, true);
    });
  }

  private makeInspector(picked: string): Inspector {
    const apply = (edit: Edit, merge: string | null = null): void => this.apply(edit, merge);
    const mark = (ref: string): void => this.mark(ref);
    return new Inspector(byId("panel-edit"), this.store, this.words, this.choices, apply, mark, picked);
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
      say: (text) => this.say(text),
      language: this.language,
    };
  }

  /** Asks; a fault is shown, beside `row` where one is given, and then there is no answer. */
  private async told(request: Record<string, unknown>, row?: HTMLElement): Promise<Answer | null> {
    const answer = await this.ask(request);
    clearProblems();
    this.say("");
    if (answer.error) this.fault(answer, row);
    else if (answer.warnings?.length) this.say(answer.warnings.join(" "));
    return answer.error ? null : answer;
  }

  private fault(answer: Answer, row?: HTMLElement): void {
    const { code, text, hint, path, place } = answer.error ?? NOTHING;
    const at = row && place ? `${place}: ` : "";
    const said = `${code} ${at}${text}${hint ? `. ${hint.charAt(0).toUpperCase()}${hint.slice(1)}` : ""}`;
    if (row ? !problemIn(row, said) : !blameField(path, said)) this.say(said, true);
  }

  private say(text: string, bad = false): void {
    const place = byId("message");
    place.textContent = text;
    place.classList.toggle("bad", bad);
    place.hidden = !text;
  }

  private wait(why: "busy" | "offline" | null): void {
    const place = byId("waiting");
    place.hidden = why === null;
    if (why) place.textContent = this.words.say(`waiting_${why}`);
  }

  /** Dragging sends only the newest value; every other edit is sent, one after the other. */
  private apply(edit: Edit, merge: string | null = null, row?: HTMLElement): void {
    const change: Change = { edit, merge };
    for (const other of this.unsent) if (merge !== null && other.merge === merge) this.unsent.delete(other);
    this.unsent.add(change);
    this.later();
    if (merge !== null) this.edits.ask(change);
    else void this.send(change, row);
  }

  /** The edit, made of the state as it is when its turn comes. */
  private async send(change: Change, row?: HTMLElement): Promise<void> {
    const { edit, merge } = change;
    await this.store.alone(async () => {
      for (;;) {
        const base = this.store.state;
        const answer = await this.ask({ action: "edit", state: base, edit });
        if (this.store.state !== base) continue; // it was undone meanwhile
        this.unsent.delete(change);
        this.settle(answer, edit, merge, row);
        return;
      }
    });
  }

  private settle(answer: Answer, edit: Edit, merge: string | null, row?: HTMLElement): void {
    clearProblems();
    this.say(answer.error ? "" : (answer.warnings ?? []).join(" "));
    if (answer.error) {
      const chosen = edit["kind"] !== "set" && !("options" in edit) && this.panel === "edit";
      if (chosen) this.inspector.draw(true); // what was chosen is as it was
      this.fault(answer, row);
      this.later();
      return;
    }
    if (edit["kind"] !== "set") this.forget();
    this.live(answer["numbers"] as Numbers);
    this.store.commit(answer["state"] as State, merge);
  }

  /** A state of the core's that follows this one. */
  private follow(request: Record<string, unknown>, then: (answer: Answer) => void): Promise<void> {
    return this.store.alone(async () => {
      const answer = await this.told({ ...request, state: this.store.state });
      if (!answer) return;
      then(answer);
      this.live(answer["numbers"] as Numbers);
      this.store.commit(answer["state"] as State);
    });
  }

  private rewind(): Promise<void> {
    return this.follow({ action: "rewind" }, () => this.forget());
  }

  private stepOnce(): Promise<void> {
    return this.follow({ action: "step" }, (answer) => this.draws(answer["trail"] as Point[]));
  }

  private forget(): void {
    this.training.drop();
    this.loss.points = [];
    this.blame.points = [];
    this.loss.draw();
    this.blame.draw();
  }

  private run(): void {
    if (this.training.on) this.training.stop();
    else {
      this.links?.clear();
      this.training.start();
    }
    this.buttons();
  }

  private stopped(answer: Answer | null): void {
    if (answer?.error) this.fault(answer);
    this.buttons();
    this.views.ask(this.store.state);
  }

  private draws(points: Point[]): void {
    this.loss.add(points);
    this.blame.add(points);
    byId("steps-now").textContent = String(points.at(-1)?.step ?? this.store.state.steps);
    this.loss.draw();
    this.blame.draw();
  }

  /** The numbers alone, at once. */
  private live(numbers: Numbers): void {
    const svg = document.querySelector<SVGSVGElement>(".view > svg");
    if (svg) setNumbers(svg, numbers);
    byId("loss-now").textContent = numbers.loss;
  }

  private changed(): void {
    this.buttons();
    if (this.panel === "edit") this.inspector.draw();
    const { steps } = this.store.state;
    this.loss.until(steps);
    this.blame.until(steps);
    for (const key of ["measure", "view"] as const) {
      (byId(`pick-${key}`) as HTMLSelectElement).value = this.store.state.shown[key];
    }
    this.later();
    this.address.keep(this.store.state);
  }

  /** Tells anew once nothing changes for a while; while steps run, every so often. */
  private later(): void {
    if (this.training.on && this.rest) return;
    window.clearTimeout(this.rest);
    const tell = (): void => {
      this.rest = 0;
      if (this.unsent.size) this.later();
      else this.views.ask(this.store.state);
    };
    const wait = this.training.on ? Math.max(4 * REST, 10 * this.drawn) : REST;
    this.rest = window.setTimeout(tell, wait);
    this.note();
  }

  /** Says on the page itself whether anything is still under way. */
  private note(): void {
    const busy = this.asking > 0 || this.rest !== 0 || this.unsent.size > 0 || this.address.pending;
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

  private buttons(): void {
    const off = (id: string, is: boolean): void => byId(id).setAttribute("aria-disabled", String(is));
    off("undo", !this.store.canUndo);
    off("redo", !this.store.canRedo);
    byId("run").textContent = this.words.say(this.training.on ? "pause" : "run");
    byId("run").setAttribute("aria-pressed", String(this.training.on));
    if (!this.training.on) byId("steps-now").textContent = String(this.store.state.steps);
    byId("miya").setAttribute("aria-pressed", String(this.store.state.shown.miya));
  }

  /** Picture, then story and panels of a state that rests; an edit that comes between has right of way. */
  private async tell(state: State): Promise<void> {
    const overtaken = (): boolean =>
      !this.training.on && (state !== this.store.state || this.unsent.size > 0);
    if (overtaken()) return;
    const picture = await this.ask({ action: "picture", state });
    if (overtaken()) return;
    if (picture.error) {
      this.fault(picture);
      return;
    }
    const started = performance.now();
    this.names = picture["names"] as Record<string, string>;
    // the core's own SVG, in which every label was escaped
    (document.querySelector(".frame") as HTMLElement).innerHTML = String(picture["svg"]);
    this.show();
    this.drawn = performance.now() - started;
    await this.drawBoundary();
    if (this.training.on || overtaken()) return;
    const story = await this.ask({ action: "story", state });
    if (this.training.on || overtaken()) return;
    if (story.error) this.fault(story);
    else this.tellStory(story);
    this.inspector.remark();
    if (this.panel !== "edit") this.draw();
  }

  private tellStory(story: Answer): void {
    const at = this.steps?.current ?? 0;
    const guessing = this.guess?.asking ?? false;
    byId("told").innerHTML = String(story["html"]);
    this.bring(story["titles"] as string[], story["views"] as string[], at, guessing);
  }

  /** Wires picture and story anew; what was wired before lets go. */
  private bring(titles: string[], views: string[], at: number, guessing: boolean): void {
    this.links?.clear();
    this.shown.abort();
    this.shown = new AbortController();
    const { signal } = this.shown;
    const list = document.querySelector(".contents ol") as HTMLElement;
    list.replaceChildren(
      ...titles.map((title, k) => {
        const item = make("li");
        const link = make("a");
        link.href = `#step-${k + 1}`;
        link.append(make("span", String(k + 1)), make("span", title));
        item.append(link);
        return item;
      }),
    );
    const words = new Words(this.texts(), this.names);
    const section = document.querySelector(".picture") as HTMLElement;
    const picture = new Picture(section, words, signal);
    const data = { words: {}, views: views.map(() => "whole"), names: this.names };
    const steps = new Steps(data, words, picture, signal, false);
    this.links = new Links(
      byId("story"),
      section,
      section.querySelector(".status") as HTMLElement,
      words,
      (texts) => steps.mark(texts),
      (parts) => picture.approach(parts),
      signal,
    );
    this.guess = new Guess(words, steps, picture, signal);
    byId("zoom").addEventListener(
      "click",
      () => byId("zoom").setAttribute("aria-pressed", String(picture.toggleWhole())),
      { signal },
    );
    startCuts(signal);
    this.steps = steps;
    steps.go(at, false, false);
    if (guessing) this.guess.toggle();
  }

  /** A new picture while steps run: the story's links wait for it to rest. */
  private show(): void {
    for (const svg of document.querySelectorAll(".view > svg")) {
      svg.removeAttribute("width");
      svg.removeAttribute("height");
    }
  }

  private texts(): Record<string, string> {
    return (this.choices as unknown as { page_words: Record<string, string> }).page_words;
  }

  private walk(by: 1 | -1): void {
    if (this.links && this.steps) walk(this.steps, this.links, by);
  }

  private async drawBoundary(): Promise<void> {
    const two = this.store.state.network.layers[0]?.weight[0]?.length === 2;
    byId("boundary-box").hidden = !two;
    if (!two) return;
    const answer = await this.ask({ action: "boundary", state: this.store.state, size: 40 });
    if (answer.error) return;
    drawBoundary(byId("boundary") as HTMLCanvasElement, answer as unknown as Boundary);
  }

  private pickFrom(target: Element, focus: boolean): void {
    const part = target.closest("[data-ref], [data-row]");
    const ref = part?.getAttribute("data-ref") || part?.getAttribute("data-row");
    if (!ref) return;
    if (this.panel === "lessons" && this.lessons.tapped(ref.replace(/^(n\d+\.\d+)\.\d+$/, "$1"))) return;
    this.open("edit");
    this.inspector.pick(ref.replace(/^(n\d+\.\d+)\.\d+$/, "$1"), focus);
  }

  private mark(ref: string): void {
    for (const part of document.querySelectorAll(".view .picked")) part.classList.remove("picked");
    for (const part of document.querySelectorAll(`.view [data-ref="${CSS.escape(ref)}"]`)) {
      part.classList.add("picked");
    }
  }

  private open(panel: Panel): void {
    this.panel = panel;
    for (const name of PANELS) {
      const chosen = name === panel;
      byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
      byId(`panel-${name}`).hidden = !chosen;
    }
    this.draw();
  }

  private tabKey(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const k = (PANELS.indexOf(this.panel) + by + PANELS.length) % PANELS.length;
    const next = PANELS[k];
    if (!next) return;
    this.open(next);
    byId(`tab-${next}`).focus();
  }

  private draw(): void {
    if (!this.store.ready) return;
    const root = byId(`panel-${this.panel}`);
    const typing = root.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");
    if (this.panel === "edit") this.inspector.draw();
    else if (this.panel === "blame") {
      void blamePanel(root, this.desk(), (ref) => {
        this.open("edit");
        this.inspector.pick(ref, true);
      });
    } else if (typing || root.querySelector(".problem:not([hidden])")) return;
    else if (this.panel === "data") dataPanel(root, this.desk());
    else if (this.panel === "lessons" && !root.childElementCount) void this.lessons.draw();
    else if (this.panel === "mark" && !root.childElementCount) markPanel(root, this.desk());
    else if (this.panel === "file" && !root.childElementCount) filePanel(root, this.desk());
  }

  private key(event: KeyboardEvent): void {
    const typing = (event.target as Element).closest("input[type=text], textarea, select");
    if (event.altKey || typing) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
      event.preventDefault();
      if (key === "y" || event.shiftKey) this.store.redo();
      else this.store.undo();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (key === "s") void this.stepOnce();
    else if (key === "r") this.run();
    else if (key === ".") this.walk(1);
    else if (key === ",") this.walk(-1);
  }

  private async switchLanguage(): Promise<void> {
    this.language = this.language === "en" ? "ja" : "en";
    languageKept()?.setItem("miya-language", this.language);
    await this.speak();
    for (const name of PANELS) byId(`panel-${name}`).replaceChildren();
    const desk = this.desk();
    this.lessons = this.lessons.in(desk);
    this.inspector = this.makeInspector(this.inspector.shown);
    this.buttons();
    this.draw();
    this.views.ask(this.store.state);
  }
}

void new Play().start();
