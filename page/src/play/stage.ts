/** The picture and the story of the state that is shown, and what links them. */

import { startCuts } from "../cut";
import { Guess } from "../guess";
import { Links } from "../links";
import { Picture } from "../picture";
import { Steps } from "../steps";
import { Words } from "../words";
import type { Answer } from "./api";
import { Lighten } from "./lighten";
import { inSight, setNumbers, sightOf, type Numbers } from "./live";
import { Stroll } from "./stroll";
import { byId, make, setText } from "./ui";
import { Walker } from "./walk";

export class Stage {
  private names: Record<string, string> = {};
  private drawing = new AbortController();
  private shown = new AbortController();
  private picture: Picture | null = null;
  private steps: Steps | null = null;
  private guess: Guess | null = null;
  private links: Links | null = null;
  private walker: Walker | null = null;
  private lighten: Lighten | null = null;
  /** Milliseconds that the last picture took to be put in. */
  drawn = 0;

  private readonly section = document.querySelector(".picture") as HTMLElement;
  private readonly frame = document.querySelector(".frame") as HTMLElement;

  private readonly stroll = new Stroll(this.frame);

  /** texts: the words of the story's page. */
  constructor(private readonly texts: () => Record<string, string>) {}

  private get svg(): SVGSVGElement | null {
    return this.frame.querySelector<SVGSVGElement>(".view > svg");
  }

  /** A new picture, of which the same is in sight. While steps run it goes without links. */
  draw(answer: Answer): void {
    const started = performance.now();
    const look = this.picture?.look;
    this.names = answer["names"] as Record<string, string>;
    this.drawing.abort();
    this.drawing = new AbortController();
    const aimed = this.svg?.style.transform;
    // the core's own SVG, in which every label was escaped
    this.frame.innerHTML = String(answer["svg"]);
    // most often it is to be aimed there again: then it is laid out once
    if (this.svg && aimed) this.svg.style.transform = aimed;
    this.still(() => {
      this.picture = new Picture(this.section, this.words(), this.drawing.signal);
      if (look) this.picture.resume(look);
      this.lighten = this.svg && new Lighten(this.svg, this.drawing.signal);
    });
    this.drawn = performance.now() - started;
  }

  private words(): Words {
    return new Words(this.texts(), this.names);
  }

  /** The picture is where it is aimed at once: on its way, nobody knows what of it is in sight. */
  private still(aim: () => void): void {
    const { svg } = this;
    if (svg) svg.style.transition = "none";
    aim();
    if (!svg) return;
    svg.getBoundingClientRect();
    svg.style.transition = "";
  }

  /** A part by its own name, or by its symbol. */
  called(ref: string): string {
    return this.names[ref] ?? ref;
  }

  /** The numbers alone, at once. */
  live(numbers: Numbers): void {
    const { svg } = this;
    if (svg) setNumbers(svg, numbers);
    setText(byId("loss-now"), numbers.loss);
  }

  /** The neurons whose numbers can be read. sliding: what cannot be seen is left out meanwhile. */
  sight(sliding = false): string[] {
    const { svg } = this;
    const sight = svg && sightOf(svg);
    if (!svg || !sight) return [];
    if (sliding) this.lighten?.out(sight);
    return inSight(svg, sight);
  }

  /** Wires picture and story anew; what was wired before lets go. */
  tell(story: Answer): void {
    const at = this.steps?.current ?? 0;
    const guessing = this.guess?.asking ?? false;
    const { section, picture } = this;
    if (!picture) return;
    const { look } = picture;
    byId("told").innerHTML = String(story["html"]);
    const [titles, views] = [story["titles"] as string[], story["views"] as string[]];
    this.links?.clear();
    this.shown.abort();
    this.shown = new AbortController();
    const { signal } = this.shown;
    const list = document.querySelector(".contents ol") as HTMLElement;
    list.replaceChildren(...titles.map(entry));
    const words = this.words();
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
    this.walker = new Walker(steps, this.links, this.stroll);
    byId("zoom").addEventListener(
      "click",
      () => byId("zoom").setAttribute("aria-pressed", String(picture.toggleWhole())),
      { signal },
    );
    startCuts(signal);
    this.steps = steps;
    this.still(() => {
      steps.go(at, false, false);
      if (guessing) this.guess?.toggle();
      picture.resume({ ...look, parts: picture.look.parts });
    });
  }

  walk(by: 1 | -1): void {
    this.walker?.go(by);
  }

  unlink(): void {
    this.links?.clear();
  }

  /** Marks the part of the picture that is picked. */
  mark(ref: string): void {
    for (const part of this.frame.querySelectorAll(".picked")) part.classList.remove("picked");
    for (const part of this.frame.querySelectorAll(`[data-ref="${CSS.escape(ref)}"]`)) {
      part.classList.add("picked");
    }
  }
}

/** The part of the picture that an element belongs to; a path of a neuron is the neuron's. */
export function partAt(target: Element): string | undefined {
  const part = target.closest("[data-ref], [data-row]");
  const given = part?.getAttribute("data-ref") || part?.getAttribute("data-row");
  return given?.replace(/^(n\d+\.\d+)\.\d+$/, "$1");
}

function entry(title: string, k: number): HTMLElement {
  const item = make("li");
  const link = make("a");
  link.href = `#step-${k + 1}`;
  link.append(make("span", String(k + 1)), make("span", title));
  item.append(link);
  return item;
}
