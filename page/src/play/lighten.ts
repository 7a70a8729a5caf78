/**
 * While a slider moves, what lies out of sight is left out of the picture: thousands of texts
 * would be gone through at each frame. It is back as soon as anything else is touched, and with
 * the picture that is drawn anew.
 */

import { meets, type Sight } from "./live";

const PARTS = "g.neuron, g.edge, g.link, g.input, g.constant";

export class Lighten {
  private left: SVGGElement[] | null = null;
  private boxes: [SVGGElement, DOMRect][];

  /** Asks where everything lies, so that the first move need not. */
  constructor(private readonly svg: SVGSVGElement, signal: AbortSignal) {
    this.boxes = [...svg.querySelectorAll<SVGGElement>(PARTS)].map((part) => [part, part.getBBox()]);
    const back = (event: Event): void => {
      if (!(event.target as Element).matches?.("input[type=range]")) this.back();
    };
    for (const name of ["pointerdown", "keydown", "focusin", "wheel"]) {
      document.addEventListener(name, back, { signal, capture: true, passive: true });
    }
  }

  out(sight: Sight): void {
    if (this.left) return;
    // all of it can be scrolled to
    const whole = !this.svg.style.transform;
    this.left = whole ? [] : this.boxes.flatMap(([part, box]) => (meets(box, sight) ? [] : part));
    for (const part of this.left) part.style.display = "none";
  }

  private back(): void {
    for (const part of this.left ?? []) part.style.display = "";
    this.left = null;
  }
}
