/** Links the text and the picture: what one points at, taps or focuses lights up in the other. */

import { lights, partOf } from "./refs";
import type { Words } from "./words";

const TEXT = ".term, [data-ref]";
const CONTROLS = "button, input, label, a";
const SHAPE = "[data-ref], [data-row]";

function refOf(element: Element): string {
  return element.getAttribute("data-ref") ?? element.getAttribute("data-row") ?? "";
}

/** The element itself where it has a name, then all named ones within it. */
function named(element: Element): Element[] {
  const within = [...element.querySelectorAll("[data-ref]")];
  return element.hasAttribute("data-ref") ? [element, ...within] : within;
}

export function partsIn(element: Element): Set<string> {
  return new Set(named(element).flatMap((e) => partOf(refOf(e)) ?? []));
}

export class Links {
  private readonly texts = new Map<string, Element[]>();
  private readonly shapes: Element[];
  private pinned: Element | null = null;
  private lit: Element[] = [];

  constructor(
    story: HTMLElement,
    private readonly picture: HTMLElement,
    private readonly status: HTMLElement,
    private readonly words: Words,
    private readonly onLit: (texts: Element[]) => void,
    private readonly onParts: (parts: Set<string> | null) => void,
    private readonly signal: AbortSignal,
  ) {
    for (const element of story.querySelectorAll("[data-ref]")) {
      const part = partOf(refOf(element));
      if (part) this.texts.set(part, [...(this.texts.get(part) ?? []), element]);
    }
    this.shapes = [...picture.querySelectorAll(SHAPE)];
    this.listen(story, TEXT);
    this.listen(picture, SHAPE);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.clear();
    }, { signal });
  }

  private listen(area: HTMLElement, selector: string): void {
    const found = (event: Event): Element | null => {
      const target = event.target as Element;
      return target.closest(".term") ?? target.closest(selector);
    };
    const show = (event: Event): void => {
      const element = found(event);
      if (!this.pinned && element && area.contains(element)) this.light(element);
    };
    const hide = (): void => {
      if (!this.pinned) this.clear();
    };
    const { signal } = this;
    area.addEventListener("pointerover", show, { signal });
    area.addEventListener("pointerout", hide, { signal });
    area.addEventListener("focusin", show, { signal });
    area.addEventListener("focusout", hide, { signal });
    area.addEventListener("click", (event) => {
      if (!(event.target as Element).closest(CONTROLS)) this.pin(found(event));
    }, { signal });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === found(event)) this.pin(found(event));
    }, { signal });
  }

  /** Keeps the light on what was tapped until it, or something else, is tapped. */
  private pin(element: Element | null): void {
    const same = element === this.pinned;
    this.clear();
    if (!element || same) return;
    this.light(element);
    this.pinned = element;
  }

  /** Lights what belongs to an element of the text or the picture, in place of what was lit. */
  light(element: Element): void {
    this.clear();
    if (this.picture.contains(element)) this.lightTexts(element);
    else this.lightShapes(element);
  }

  /** From the picture: its own kind in every view, and every quantity that belongs to it. */
  private lightTexts(element: Element): void {
    const ref = refOf(element);
    const shapes = this.shapes.filter((s) => lights(ref, refOf(s)));
    const texts = [...this.texts].flatMap(([part, e]) => (lights(ref, part) ? e : []));
    this.mark(shapes, texts);
    this.status.textContent = this.words.say("lit", {
      part: this.words.name(ref),
      count: texts.length,
    });
  }

  /** From the text: the parts of all that it names, and the same single quantities elsewhere. */
  private lightShapes(element: Element): void {
    const parts = partsIn(element);
    const single = !element.matches("li, tr");
    const texts = single ? [...parts].flatMap((part) => this.texts.get(part) ?? []) : [];
    const leaves = texts.filter((e) => !e.matches("li, tr"));
    this.mark(this.shapes.filter((s) => parts.has(refOf(s))), [element, ...leaves]);
    this.status.textContent = [...parts].map((part) => this.words.name(part)).join(", ");
    this.onParts(parts.size ? parts : null);
  }

  private mark(shapes: Element[], texts: Element[]): void {
    this.lit = [...shapes, ...texts];
    for (const element of this.lit) element.classList.add("lit");
    this.picture.classList.toggle("has-lit", shapes.length > 0);
    this.onLit(texts);
  }

  clear(): void {
    for (const element of this.lit) element.classList.remove("lit");
    this.lit = [];
    this.pinned = null;
    this.picture.classList.remove("has-lit");
    this.status.textContent = "";
    this.onLit([]);
    this.onParts(null);
  }
}
