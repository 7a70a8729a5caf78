/** Steps forward and back through the story, one at a time or all open. */

import { partsIn } from "./links";
import type { Picture } from "./picture";
import type { PageData, Words } from "./words";

const NO_STEPPING = "input, select, textarea, [contenteditable], .picture svg *";

export class Steps {
  readonly sections: HTMLElement[];
  private readonly links: HTMLAnchorElement[];
  private now = 0;
  private open = false;
  /** The first and the last step that may be shown, and what says why. */
  private first = 0;
  private limit = Infinity;
  onLimit: () => void = () => undefined;
  /** Called with the step that is shown. */
  onStep: (section: HTMLElement) => void = () => undefined;

  constructor(
    private readonly data: PageData,
    private readonly words: Words,
    private readonly picture: Picture,
    signal: AbortSignal,
    /** Whether the page's address names the step. */
    private readonly addressed = true,
  ) {
    this.sections = [...document.querySelectorAll<HTMLElement>("section.step")];
    this.links = [...document.querySelectorAll<HTMLAnchorElement>(".contents a")];
    byId("back").addEventListener("click", () => this.go(this.now - 1), { signal });
    byId("forward").addEventListener("click", () => this.go(this.now + 1), { signal });
    byId("all").addEventListener("click", () => this.openAll(!this.open), { signal });
    this.links.forEach((link, k) => {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.go(k, true);
      });
    });
    document.addEventListener("keydown", (event) => this.key(event), { signal });
    this.open = document.documentElement.classList.contains("all");
    this.watch(signal);
    if (!addressed) return;
    window.addEventListener("hashchange", () => this.fromAddress(), { signal });
    this.fromAddress();
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const target = event.target as Element;
    if (!step || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (target.closest(NO_STEPPING) || scrollsSideways(target)) return;
    event.preventDefault();
    this.go(this.now + step);
  }

  private fromAddress(): void {
    const k = this.sections.findIndex((s) => `#${s.id}` === location.hash);
    this.go(Math.max(k, 0), false, k >= 0);
  }

  /** Shows step k; with `focus`, reading goes on there. */
  go(k: number, focus = false, scroll = true): void {
    const to = Math.min(Math.max(k, this.first), this.sections.length - 1);
    if (to > this.limit) {
      this.onLimit();
      return;
    }
    this.set(to);
    const section = this.sections[to];
    if (!section) return;
    if (scroll && this.addressed) history.replaceState(null, "", `#${section.id}`);
    if (scroll) bringIntoSight(this.open ? section : byId("story"), this.open);
    if (focus) section.focus({ preventScroll: true });
  }

  private set(k: number): void {
    this.now = k;
    this.sections.forEach((section, j) => section.classList.toggle("current", j === k));
    for (const chapter of document.querySelectorAll(".chapter")) {
      chapter.classList.toggle("now", chapter.querySelector("section.current") !== null);
    }
    this.links.forEach((link, j) => {
      if (j === k) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    const values = { k: k + 1, n: this.sections.length };
    byId("position").textContent = this.words.say("position", values);
    disable(byId("back"), k <= this.first);
    disable(byId("forward"), k === this.sections.length - 1);
    const section = this.sections[k];
    const whole = !section || section.matches(".run");
    const parts = whole ? new Set<string>() : partsIn(section);
    this.picture.show(this.data.views[k] ?? "whole", parts);
    if (section) this.onStep(section);
  }

  openAll(open: boolean): void {
    this.open = open;
    document.documentElement.classList.toggle("all", open);
    byId("all").setAttribute("aria-pressed", String(open));
    if (open) this.sections[this.now]?.scrollIntoView({ block: "start" });
  }

  /** With every step open, the step that is being read is the one near the top. */
  private watch(signal: AbortSignal): void {
    const seen = new IntersectionObserver(
      (entries) => {
        const top = entries.find((e) => e.isIntersecting)?.target as HTMLElement | undefined;
        if (this.open && top) this.set(this.sections.indexOf(top));
      },
      { rootMargin: "-35% 0px -60% 0px" },
    );
    for (const section of this.sections) seen.observe(section);
    signal.addEventListener("abort", () => seen.disconnect());
  }

  get current(): number {
    return this.now;
  }

  /** Marks the steps that hold something lit. */
  mark(lit: Element[]): void {
    const held = new Set(lit.map((e) => e.closest("section.step")));
    this.links.forEach((link, k) => {
      link.classList.toggle("lit", held.has(this.sections[k] ?? null));
    });
  }

  /** Steps beyond the limit cannot be gone to, and do not show when all are open. */
  setLimit(limit: number): void {
    this.limit = limit;
    // the numbers of a whole run would give every value away
    this.first = limit < Infinity && this.sections[0]?.matches(".run") ? 1 : 0;
    const barred = (k: number): boolean => k > limit || k < this.first;
    this.sections.forEach((s, k) => s.classList.toggle("later", barred(k)));
    for (const chapter of document.querySelectorAll(".chapter")) {
      chapter.classList.toggle("later", !chapter.querySelector("section.step:not(.later)"));
    }
    this.links.forEach((link, k) => {
      if (barred(k)) link.setAttribute("aria-disabled", "true");
      else link.removeAttribute("aria-disabled");
    });
    this.go(Math.min(this.now, limit), false, barred(this.now));
  }
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

/** Scrolls to the start of an element where that is out of sight or low down, or `always`. */
function bringIntoSight(element: HTMLElement, always: boolean): void {
  const margin = parseFloat(getComputedStyle(element).scrollMarginTop);
  const top = element.getBoundingClientRect().top;
  if (always || top < margin || top > Math.max(margin, innerHeight / 2)) {
    element.scrollIntoView({ block: "start" });
  }
}

/** Out of use, yet still in reach of the Tab key, so that focus is not lost. */
function disable(button: HTMLElement, off: boolean): void {
  button.setAttribute("aria-disabled", String(off));
}

/** In a box that scrolls sideways the arrow keys scroll it. */
function scrollsSideways(element: Element): boolean {
  const box = element.closest(".calculation, .maths, .scroll");
  return box !== null && box.scrollWidth > box.clientWidth + 1;
}
