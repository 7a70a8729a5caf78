/** The picture beside the text: which view is shown, what of it is in sight, and its keys. */

import { inputOf, lights } from "./refs";

type Box = { x: number; y: number; width: number; height: number };
type Placed = { ref: string; box: Box };

const MARGIN = 22;
const SMALL = 560; // pixels
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
  private room = { width: 0, height: 0 };

  constructor(private readonly section: HTMLElement) {
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
    PRINT.addEventListener("change", () => this.aim());
    window.addEventListener("beforeprint", () => this.aim(true));
    window.addEventListener("afterprint", () => this.aim());
  }

  /** Shows the view of a step, and of it what the step is about. */
  show(view: string, parts: Set<string>): void {
    const known = this.views.some((v) => v.dataset["view"] === view);
    const wanted = known ? view : this.views[0]?.dataset["view"];
    for (const v of this.views) v.hidden = v.dataset["view"] !== wanted;
    this.parts = parts;
    this.near = null;
    this.aim();
  }

  /** Where the picture is small, it goes close to what the text lights; null goes back. */
  approach(parts: Set<string> | null): void {
    const before = this.near;
    this.near = this.section.clientWidth < SMALL ? parts : null;
    if (this.near !== before) this.aim();
  }

  /** All of the picture, or what the step is about. Returns whether it is all of it. */
  toggleWhole(): boolean {
    this.close = !this.close;
    this.section.classList.toggle("whole", !this.close);
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
    svg.style.transform = this.close ? zoom(all, this.around(svg) ?? all, this.room) : "";
  }

  private inSight(): SVGSVGElement | null {
    return this.views.find((v) => !v.hidden)?.querySelector<SVGSVGElement>("svg") ?? null;
  }

  /** The box around the step's parts, their neurons and inputs; around all where it has none. */
  private around(svg: SVGSVGElement): Box | null {
    const every = this.boxesOf(svg);
    const parts = [...(this.near ?? this.parts)];
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

  /** While values are guessed the picture gives none away, not by words that pop up either. */
  conceal(hidden: boolean): void {
    this.section.classList.toggle("guessing", hidden);
    for (const part of this.section.querySelectorAll<SVGGElement>("svg [data-ref]")) {
      const title = part.querySelector("title");
      if (!title) continue;
      part.dataset["title"] ??= title.textContent ?? "";
      const shown = hidden ? (part.dataset["ref"] ?? "") : part.dataset["title"];
      title.textContent = shown;
      part.setAttribute("aria-label", shown);
    }
  }
}

/**
 * The transform that brings `part` of `all` to the middle, as large as `room` takes. Unlike a new
 * viewBox it leaves the layout of the picture as it is, so that a step stays within a frame.
 */
function zoom(all: Box, part: Box, room: { width: number; height: number }): string {
  const fit = (box: Box): number => Math.min(room.width / box.width, room.height / box.height);
  const scale = fit(all);
  const x = (all.x + all.width / 2 - part.x - part.width / 2) * scale;
  const y = (all.y + all.height / 2 - part.y - part.height / 2) * scale;
  return scale ? `scale(${fit(part) / scale}) translate(${x}px, ${y}px)` : "";
}

/** A thin line is wider to point at than to see. */
function widen(edge: SVGGElement): void {
  const line = edge.querySelector("path")?.cloneNode() as SVGPathElement | undefined;
  line?.setAttribute("class", "hit");
  if (line) edge.append(line);
}
