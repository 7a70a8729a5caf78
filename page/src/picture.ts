/** The picture beside the text: which view is shown, what of it is in sight, and its keys. */

import { inputOf, lights } from "./refs";
import type { Words } from "./words";
import { fit, Zoom, type Box, type Depth, type Size } from "./zoom";

type Placed = { ref: string; box: Box };
/** What of a picture is in sight. */
export type Look = { close: boolean; parts: Set<string>; room: Size; depth: Depth };

const MARGIN = 22;
const SMALL = 560; // pixels
const LEGIBLE = 0.5; // pixels to a unit of the picture, whose text is 10 to 14 units high
const MOVES: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const PRINT = matchMedia("print");

export class Picture {
  private readonly views: HTMLElement[];
  private readonly whole = new Map<SVGSVGElement, Box>();
  private readonly placed = new Map<SVGSVGElement, Placed[]>();
  private close = true;
  private parts = new Set<string>();
  private near: Set<string> | null = null;
  /** The width and height that the view in sight has, in pixels. */
  private room: Size = { width: 0, height: 0 };

  private readonly zoom: Zoom;
  /** What each title and description says when nothing is concealed. */
  private readonly told = new Map<SVGElement, string>();

  constructor(
    private readonly section: HTMLElement,
    private readonly words: Words,
    signal: AbortSignal,
  ) {
    const frame = section.querySelector(".frame") as HTMLElement;
    this.zoom = new Zoom(frame, () => this.aim(), signal);
    this.views = [...section.querySelectorAll<HTMLElement>(".view")];
    for (const svg of section.querySelectorAll<SVGSVGElement>(".view > svg")) {
      const { x, y, width, height } = svg.viewBox.baseVal;
      this.whole.set(svg, { x, y, width, height });
      svg.setAttribute("role", "group");
      svg.removeAttribute("width");
      svg.removeAttribute("height");
      this.makeFocusable(svg);
    }
    const sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        if (contentRect.width && this.inSight() === target) this.room = contentRect;
      }
      this.aim();
    });
    for (const svg of this.whole.keys()) sizes.observe(svg);
    signal.addEventListener("abort", () => sizes.disconnect());
    PRINT.addEventListener("change", () => this.aim(), { signal });
    window.addEventListener("beforeprint", () => this.aim(true), { signal });
    window.addEventListener("afterprint", () => this.aim(), { signal });
  }

  /** Shows the view of a step, and of it what the step is about. */
  show(view: string, parts: Set<string>): void {
    const known = this.views.some((v) => v.dataset["view"] === view);
    const wanted = known ? view : this.views[0]?.dataset["view"];
    for (const v of this.views) v.hidden = v.dataset["view"] !== wanted;
    this.parts = parts;
    this.near = null;
    this.zoom.reset();
    this.aim();
  }

  get look(): Look {
    return { close: this.close, parts: this.parts, room: this.room, depth: this.zoom.depth };
  }

  /** Takes up what was in sight of the picture that this one follows. */
  resume({ close, parts, room, depth }: Look): void {
    [this.parts, this.room] = [parts, room];
    if (close !== this.close) this.toggleWhole();
    this.zoom.go(depth);
    this.aim();
  }

  /** Where the picture is too small to read, it goes close to what the text lights; null back. */
  approach(parts: Set<string> | null): void {
    const before = this.near;
    const small = this.section.clientWidth < SMALL || !this.legible();
    this.near = small && !this.zoom.on ? parts : null;
    if (this.near !== before) this.aim();
  }

  /** Whether the text of what the step is about can be read as it stands. */
  private legible(): boolean {
    const svg = this.inSight();
    const part = svg && this.around(svg, this.parts);
    return !part || fit(part, this.room) >= LEGIBLE;
  }

  /** All of the picture, or what the step is about. Returns whether it is all of it. */
  toggleWhole(): boolean {
    this.close = !this.close;
    this.section.classList.toggle("whole", !this.close);
    this.zoom.reset();
    this.aim();
    return !this.close;
  }

  /** Paper has room for all of every view. */
  private aim(print = PRINT.matches): void {
    if (print) {
      for (const svg of this.whole.keys()) svg.style.transform = "";
      return;
    }
    const svg = this.inSight();
    const all = svg && this.whole.get(svg);
    if (!svg || !all) return;
    const part = (this.close && this.around(svg, this.near ?? this.parts)) || all;
    const plain = !this.close && !this.zoom.on;
    svg.style.transform = plain ? "" : this.zoom.transform(all, part, this.room);
  }

  private inSight(): SVGSVGElement | null {
    return this.views.find((v) => !v.hidden)?.querySelector<SVGSVGElement>("svg") ?? null;
  }

  /** The box around the step's parts, their neurons and inputs; around all where it has none. */
  private around(svg: SVGSVGElement, wanted: Set<string>): Box | null {
    const every = this.boxesOf(svg);
    const parts = [...wanted];
    const own = every.filter(({ ref }) =>
      parts.some((part) => lights(ref, part) || inputOf(part) === ref),
    );
    const boxes = (own.length ? own : every).map(({ box }) => box);
    if (!boxes.length) return null;
    const x = Math.min(...boxes.map((b) => b.x)) - MARGIN;
    const y = Math.min(...boxes.map((b) => b.y)) - MARGIN;
    const right = Math.max(...boxes.map((b) => b.x + b.width)) + MARGIN;
    const bottom = Math.max(...boxes.map((b) => b.y + b.height)) + MARGIN;
    return { x, y, width: right - x, height: bottom - y };
  }

  /** Where everything lies, asked once: each time would have the whole page laid out first. */
  private boxesOf(svg: SVGSVGElement): Placed[] {
    let found = this.placed.get(svg);
    if (!found) {
      const every = svg.querySelectorAll<SVGGraphicsElement>("[data-ref], .constant, .strip");
      found = [...every].map((e) => ({ ref: e.getAttribute("data-ref") ?? "", box: e.getBBox() }));
      this.placed.set(svg, found);
    }
    return found;
  }

  /** One stop of the Tab key a view; the arrow keys go from part to part. */
  private makeFocusable(svg: SVGSVGElement): void {
    const parts = [...svg.querySelectorAll<SVGGElement>("[data-ref]")];
    parts.forEach((part, k) => {
      part.setAttribute("tabindex", k === 0 ? "0" : "-1");
      part.setAttribute("role", "img");
      const name = part.querySelector("title")?.textContent ?? part.dataset["ref"] ?? "";
      part.setAttribute("aria-label", name);
      if (part.classList.contains("edge")) widen(part);
    });
    svg.addEventListener("focusin", (event) => {
      const part = (event.target as Element).closest<SVGGElement>("[data-ref]");
      if (part) this.zoom.centreOn(part.getBBox());
    });
    svg.addEventListener("keydown", (event) => {
      const now = parts.indexOf(event.target as SVGGElement);
      const step = MOVES[event.key];
      if (now < 0 || step === undefined) return;
      event.preventDefault();
      const next = parts[(now + step + parts.length) % parts.length];
      parts[now]?.setAttribute("tabindex", "-1");
      next?.setAttribute("tabindex", "0");
      next?.focus();
    });
  }

  /** While values are guessed the picture gives none away, not by words that are only read out. */
  conceal(hidden: boolean): void {
    this.section.classList.toggle("guessing", hidden);
    for (const words of this.section.querySelectorAll<SVGElement>("svg title, svg desc")) {
      const part = words.parentElement as Element;
      if (!this.told.has(words)) this.told.set(words, words.textContent ?? "");
      const ref = part.getAttribute("data-ref");
      const plain = ref === null ? this.words.say("picture") : this.words.name(ref);
      words.textContent = hidden ? plain : (this.told.get(words) ?? "");
      if (ref !== null) part.setAttribute("aria-label", words.textContent);
    }
  }
}

/** A thin line is wider to point at than to see. */
function widen(edge: SVGGElement): void {
  const line = edge.querySelector("path")?.cloneNode() as SVGPathElement | undefined;
  line?.setAttribute("class", "hit");
  if (line) edge.append(line);
}
