/** How far the reader has gone into the picture, and where: by buttons, keys and dragging. */

import { byId } from "./steps";

export type Box = { x: number; y: number; width: number; height: number };
export type Size = { width: number; height: number };
type Point = { x: number; y: number };
/** How far one has gone into a picture, and to where. */
export type Depth = { factor: number; centre: Point | null };

const STEP = 1.5;
const MOST = 12;
const STILL = 5; // pixels that a tap may move
const TYPING = "input, select, textarea, [contenteditable]";

export class Zoom {
  private factor = 1;
  private centre: Point | null = null;
  private dragged = false;
  /** Pixels of the screen to a unit of the picture, as last aimed. */
  private scale = 1;

  constructor(
    private readonly frame: HTMLElement,
    private readonly onChange: () => void,
    signal: AbortSignal,
  ) {
    byId("closer").addEventListener("click", () => this.by(STEP), { signal });
    byId("farther").addEventListener("click", () => this.by(1 / STEP), { signal });
    document.addEventListener("keydown", (event) => this.key(event), { signal });
    frame.addEventListener("pointerdown", (event) => this.drag(event), { signal });
    const still = (event: Event): void => {
      if (this.dragged) event.stopPropagation();
    };
    frame.addEventListener("click", still, { capture: true, signal });
  }

  get on(): boolean {
    return this.factor > 1;
  }

  get depth(): Depth {
    return { factor: this.factor, centre: this.centre };
  }

  go({ factor, centre }: Depth): void {
    this.factor = factor;
    this.centre = centre;
    this.mark();
  }

  reset(): void {
    this.go({ factor: 1, centre: null });
  }

  /** Brings the middle of a part to the middle, once one has gone closer. */
  centreOn(box: Box): void {
    if (!this.on || this.dragged) return;
    this.centre = middle(box);
    this.onChange();
  }

  /**
   * The transform that brings `part` of `all` to the middle, as large as `room` takes. Unlike a new
   * viewBox it leaves the layout of the picture as it is, so that a step stays within a frame.
   */
  transform(all: Box, part: Box, room: Size): string {
    const scale = fit(all, room);
    if (!scale) return "";
    this.scale = fit(part, room) * this.factor;
    const at = this.on ? within(this.centre ?? middle(part), all) : middle(part);
    if (this.on) this.centre = at;
    const x = (all.x + all.width / 2 - at.x) * scale;
    const y = (all.y + all.height / 2 - at.y) * scale;
    return `scale(${this.scale / scale}) translate(${x}px, ${y}px)`;
  }

  private by(factor: number): void {
    this.factor = Math.min(Math.max(this.factor * factor, 1), MOST);
    if (this.factor < 1.01) this.reset();
    this.mark();
    this.onChange();
  }

  private mark(): void {
    this.frame.classList.toggle("zoomed", this.on);
    byId("farther").setAttribute("aria-disabled", String(!this.on));
    byId("closer").setAttribute("aria-disabled", String(this.factor >= MOST));
  }

  private key(event: KeyboardEvent): void {
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, "−": 1 / STEP }[event.key];
    if (!factor || event.altKey || event.ctrlKey || event.metaKey) return;
    if ((event.target as Element).closest(TYPING)) return;
    event.preventDefault();
    this.by(factor);
  }

  private drag(down: PointerEvent): void {
    this.dragged = false;
    const from = this.centre;
    if (!this.on || !from || down.button !== 0) return;
    const move = (event: PointerEvent): void => {
      const [x, y] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (Math.hypot(x, y) > STILL) this.dragged = true;
      if (!this.dragged) return;
      this.centre = { x: from.x - x / this.scale, y: from.y - y / this.scale };
      this.onChange();
    };
    const end = (): void => window.removeEventListener("pointermove", move);
    window.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, end, { once: true });
    }
  }
}

export function fit(box: Box, room: Size): number {
  return Math.min(room.width / box.width, room.height / box.height);
}

function middle(box: Box): Point {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

function within({ x, y }: Point, box: Box): Point {
  const clamp = (v: number, low: number, size: number): number =>
    Math.min(Math.max(v, low), low + size);
  return { x: clamp(x, box.x, box.width), y: clamp(y, box.y, box.height) };
}
