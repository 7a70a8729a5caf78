/** The playground: one state, shown as picture, story, curves and panels. */

import { startCuts } from "../cut";
import { Guess } from "../guess";
import { Links } from "../links";
import { Picture } from "../picture";
import { Steps } from "../steps";
import { Words } from "../words";
import { Latest, overHttp, overMessages, type Answer, type Transport } from "./api";
import { Curves, drawBoundary, type Boundary, type Point } from "./charts";
import { encode } from "./fragment";
import { Inspector, type Choices, type Edit } from "./inspector";
import { setNumbers, type Numbers } from "./live";
import { blamePanel, dataPanel, filePanel, Lessons, markPanel, type Desk } from "./panels";
import { Store, type State } from "./store";
import { Training } from "./training";
import { blameField, byId, choice, clearProblems, make, nameIn } from "./ui";

const REST = 150; // milliseconds without a change before picture and story are told anew
const PANELS = ["edit", "data", "blame", "lessons", "mark", "file"] as const;
const SPEEDS = [1, 5, 20, 60, Infinity];

type Panel = (typeof PANELS)[number];
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
  private rest = 0;
  private saved = "";
  private inspector!: Inspector;
  private lessons!: Lessons;
  private training!: Training;
  private loss!: Curves;
  private blame!: Curves;
  private readonly edits = new Latest<Change>((change) => this.send(change));
  private queue: Promise<void> = Promise.resolve();
  private readonly views = new Latest<State>((state) => this.tell(state));

  constructor() {
    const framed = document.documentElement.dataset["transport"] === "messages";
    this.ask = framed ? overMessages() : overHttp((why) => this.wait(why));
    this.store.onChange = () => this.changed();
  }

  async start(): Promise<void> {
    document.documentElement.classList.add("js");
    const kept = localStorageOf()?.getItem("miya-language");
    this.language = kept ?? (navigator.language.startsWith("ja") ? "ja" : "en");
    const hash = location.hash.slice(1);
    history.replaceState(null, "", `${location.pathname}${location.hash}`); // without the token
    const given = document.documentElement.dataset["state"];
    const opening = given
      ? Promise.resolve({ state: JSON.parse(given) as unknown } as Answer)
      : this.ask(hash ? { action: "link", hash } : { action: "open", language: this.language });
    await this.speak();
    this.wire();
    const answer = await opening;
    if (answer.error) this.fault(answer);
    const first = answer.error ? await this.ask({ action: "open", language: this.language }) : answer;
    const numbers = await this.ask({ action: "numbers", state: first["state"] });
    if (numbers["numbers"]) this.live(numbers["numbers"] as Numbers);
    this.store.commit(first["state"] as State);
    this.draw();
  }

  /** Loads the words of the language, and says them wherever the page names one. */
  private async speak(): Promise<void> {
    const found = await this.ask({ action: "choices", language: this.language });
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
    on("rewind", () => void this.replace({ action: "rewind", state: this.store.state }));
    on("reseed", () => this.apply({ kind: "reseed" }));
    on("miya", () => {
      const { shown } = this.store.state;
      this.store.commit({ ...this.store.state, shown: { ...shown, miya: !shown.miya } });
    });
    on("language", () => void this.switchLanguage());
    on("term", () => this.nextTerm());
    for (const panel of PANELS) on(`tab-${panel}`, () => this.open(panel));
    byId("tabs").addEventListener("keydown", (event) => this.tabKey(event));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => void this.fromAddress());
    const desk = this.desk();
    this.inspector = new Inspector(
      byId("panel-edit"),
      this.store,
      this.words,
      this.choices,
      (edit, merge = null) => this.apply(edit, merge),
      (ref) => this.mark(ref),
    );
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

  private desk(): Desk {
    return {
      words: this.words,
      choices: this.choices,
      store: this.store,
      ask: (request) => this.told(request),
      apply: (edit) => this.apply(edit),
      open: (state) => this.store.commit(state),
      language: this.language,
      transport: this.ask,
    };
  }

  /** Asks; a fault is shown, and then there is no answer. */
  private async told(request: Record<string, unknown>): Promise<Answer | null> {
    const answer = await this.ask(request);
    clearProblems();
    this.say("");
    if (answer.error) this.fault(answer);
    else if (answer.warnings?.length) this.say(answer.warnings.join(" "));
    return answer.error ? null : answer;
  }

  private fault(answer: Answer): void {
    const { code, text, hint, path } = answer.error ?? { code: "", text: "", hint: "", path: [] };
    const said = `${code} ${text}${hint ? `. ${hint.charAt(0).toUpperCase()}${hint.slice(1)}` : ""}`;
    if (!blameField(path, said)) this.say(said, true);
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
  private apply(edit: Edit, merge: string | null = null): void {
    if (merge !== null) this.edits.ask({ edit, merge });
    else this.queue = this.queue.then(() => this.send({ edit, merge }));
  }

  private async send({ edit, merge }: Change): Promise<void> {
    const base = this.store.state;
    const answer = await this.told({ action: "edit", state: base, edit });
    if (!answer) return;
    if (this.store.state !== base && merge === null) {
      this.apply(edit); // something else changed the network meanwhile
      return;
    }
    if (edit["kind"] !== "set") this.forget();
    this.live(answer["numbers"] as Numbers);
    this.store.commit(answer["state"] as State, merge);
  }

  private async replace(request: Record<string, unknown>): Promise<void> {
    const answer = await this.told(request);
    if (!answer) return;
    this.forget();
    this.live(answer["numbers"] as Numbers);
    this.store.commit(answer["state"] as State);
  }

  private forget(): void {
    this.loss.points = [];
    this.blame.points = [];
    this.loss.draw();
    this.blame.draw();
  }

  private async stepOnce(): Promise<void> {
    const answer = await this.told({ action: "step", state: this.store.state });
    if (!answer) return;
    this.draws(answer["trail"] as Point[]);
    this.live(answer["numbers"] as Numbers);
    this.store.commit(answer["state"] as State);
  }

  private run(): void {
    if (this.training.on) this.training.stop();
    else this.training.start();
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
    this.later();
    void this.keep(this.store.state);
  }

  /** Tells anew once nothing changes for a while; while steps run, every so often. */
  private later(): void {
    if (this.training.on && this.rest) return;
    window.clearTimeout(this.rest);
    const tell = (): void => {
      this.rest = 0;
      this.views.ask(this.store.state);
    };
    this.rest = window.setTimeout(tell, this.training.on ? 4 * REST : REST);
  }

  /** Writes the state into the address; a page that is reloaded or left and come back to has it. */
  private async keep(state: State): Promise<void> {
    const text = await encode(state);
    if (state !== this.store.state) return;
    this.saved = text;
    history.replaceState(null, "", `#${text}`);
  }

  private async fromAddress(): Promise<void> {
    const hash = location.hash.slice(1);
    if (!hash || hash === this.saved) return;
    const answer = await this.told({ action: "link", hash });
    if (answer) this.store.commit(answer["state"] as State);
  }

  private buttons(): void {
    const off = (id: string, is: boolean): void => byId(id).setAttribute("aria-disabled", String(is));
    off("undo", !this.store.canUndo);
    off("redo", !this.store.canRedo);
    byId("run").textContent = this.words.say(this.training.on ? "pause" : "run");
    byId("run").setAttribute("aria-pressed", String(this.training.on));
    byId("steps-now").textContent = String(this.store.state.steps);
    byId("miya").setAttribute("aria-pressed", String(this.store.state.shown.miya));
  }

  /** Picture, story and panels of a state that rests. */
  private async tell(state: State): Promise<void> {
    const { language } = this;
    const [picture, story] = await Promise.all([
      this.ask({ action: "picture", state, language }),
      this.training.on ? null : this.ask({ action: "story", state, language }),
    ]);
    const overtaken = state !== this.store.state;
    if (overtaken && !this.training.on) return;
    if (picture.error || story?.error) {
      this.fault(picture.error ? picture : (story as Answer));
      return;
    }
    this.names = picture["names"] as Record<string, string>;
    // both are the core's own HTML, in which every label was escaped
    (document.querySelector(".frame") as HTMLElement).innerHTML = String(picture["svg"]);
    if (story) this.tellStory(story);
    else this.show();
    await this.drawBoundary();
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

  /** Goes on by one term, or one calculation, of the step that is told, then to the next step. */
  private nextTerm(): void {
    const step = document.querySelector("section.step.current");
    if (!step || !this.links || !this.steps) return;
    const terms = [...step.querySelectorAll(".term, .calculation")];
    const now = step.querySelector(".walked");
    const next = terms[now ? terms.indexOf(now) + 1 : 0];
    now?.classList.remove("walked");
    if (!next) {
      this.steps.go(this.steps.current + 1);
      return;
    }
    next.classList.add("walked");
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.links.light(next);
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
    if (this.panel === "lessons") {
      const input = document.querySelector<HTMLInputElement>(".task:focus-within input");
      if (input) input.value = ref;
      return;
    }
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
    } else if (typing) return;
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
    else if (key === ".") this.nextTerm();
  }

  private async switchLanguage(): Promise<void> {
    this.language = this.language === "en" ? "ja" : "en";
    localStorageOf()?.setItem("miya-language", this.language);
    await this.speak();
    for (const name of PANELS) byId(`panel-${name}`).replaceChildren();
    const desk = this.desk();
    this.lessons = new Lessons(byId("panel-lessons"), desk);
    this.inspector = new Inspector(
      byId("panel-edit"),
      this.store,
      this.words,
      this.choices,
      (edit, merge = null) => this.apply(edit, merge),
      (ref) => this.mark(ref),
    );
    this.buttons();
    this.draw();
    this.views.ask(this.store.state);
  }
}

/** null where the browser keeps nothing, as of a page in a sandbox. */
function localStorageOf(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

void new Play().start();
