/** Miya walks through the picture to where something is worked out, and what a term carries runs
 * along its edges. */

import { partOf } from "../refs";

const NS = "http://www.w3.org/2000/svg";
const SIZE = 0.78; // of her box of 100 × 100
const [LEFT, DOWN] = [80, 24]; // where she stands beside a card, in units of the picture
const WALK = 700; // milliseconds
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

export class Stroll {
  private sprite: SVGGElement | null = null;
  private body: SVGGElement | null = null;
  private place = { x: 0, y: 0 };

  constructor(private readonly frame: HTMLElement) {}

  private get svg(): SVGSVGElement | null {
    return this.frame.querySelector<SVGSVGElement>(".view > svg");
  }

  /** To the neuron, or the loss, that a quantity belongs to; a weight belongs to where it leads. */
  to(quantity: string): void {
    const group = this.at(target(quantity));
    for (const other of this.frame.querySelectorAll(".worked")) other.classList.remove("worked");
    group?.classList.add("worked");
    const box = group?.querySelector<SVGRectElement>(".card")?.getBBox();
    if (!box || !this.present()) return;
    const from = this.place;
    this.place = { x: box.x - LEFT, y: box.y + DOWN };
    if (!this.sprite || !this.body) return;
    const away = this.place.x !== from.x || this.place.y !== from.y;
    this.sprite.style.transform = `translate(${this.place.x}px, ${this.place.y}px) scale(${SIZE})`;
    this.body.classList.toggle("leftward", this.place.x < from.x);
    if (away && !CALM.matches) this.trot();
  }

  /** What is lit runs along its edges: forward with the signal, or back with blame. */
  carry(back: boolean): void {
    if (CALM.matches) return;
    for (const line of this.frame.querySelectorAll<SVGPathElement>(".edge.lit > path:first-of-type")) {
      const [dot, length] = [document.createElementNS(NS, "circle"), line.getTotalLength()];
      dot.setAttribute("r", "8");
      dot.setAttribute("class", "carried");
      line.after(dot);
      const steps = Array.from({ length: 13 }, (_, k) => line.getPointAtLength((length * k) / 12));
      if (back) steps.reverse();
      const run = dot.animate(
        steps.map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` })),
        { duration: WALK, easing: "ease-in-out" },
      );
      run.onfinish = run.oncancel = () => dot.remove();
    }
  }

  /** She goes where nothing is worked out. */
  leave(): void {
    this.sprite?.remove();
    this.sprite = null;
    for (const other of this.frame.querySelectorAll(".worked")) other.classList.remove("worked");
  }

  private trot(): void {
    this.body?.animate(
      [{ translate: "0 0" }, { translate: "0 -7px" }, { translate: "0 0" }],
      { duration: WALK / 4, iterations: 4 },
    );
  }

  private at(ref: string | null): SVGGElement | null {
    if (!ref) return null;
    return this.svg?.querySelector<SVGGElement>(`g:is(.neuron, .loss, .input)[data-ref="${CSS.escape(ref)}"]`) ?? null;
  }

  /** Puts her into the picture, as it draws her itself; whether she is in it. */
  private present(): boolean {
    const { svg } = this;
    if (this.sprite?.isConnected) return true;
    const drawn = svg?.querySelector(".neuron .miya.sit") ?? svg?.querySelector(".neuron .miya");
    if (!svg || !drawn) return false;
    const [sprite, body] = [document.createElementNS(NS, "g"), document.createElementNS(NS, "g")];
    sprite.setAttribute("class", "stroll");
    sprite.setAttribute("aria-hidden", "true");
    body.setAttribute("class", "miya");
    body.append(...[...drawn.childNodes].map((node) => node.cloneNode(true)));
    sprite.append(body);
    svg.append(sprite);
    [this.sprite, this.body] = [sprite, body];
    return true;
  }
}

function target(quantity: string): string | null {
  const part = partOf(quantity);
  const into = part ? /^[Wb](\d+)\[(\d+)\]/.exec(part) : null;
  if (into) return `n${into[1]}.${into[2]}`;
  return part;
}
