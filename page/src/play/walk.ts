/** Goes through a step of the story term by term, and on into the next one, or back again. */

import type { Links } from "../links";
import type { Steps } from "../steps";
import type { Stroll } from "./stroll";

const PLACES = ".calculation, .term";
const BACKWARD = /^[δ∂]/u;

export class Walker {
  constructor(
    private readonly steps: Steps,
    private readonly links: Links,
    private readonly stroll: Stroll,
  ) {
    steps.onStep = (section) => this.arrive(section);
  }

  /** by: 1 is forward, -1 back. */
  go(by: 1 | -1): void {
    const { steps } = this;
    const step = steps.sections[steps.current];
    if (!step) return;
    const now = document.querySelector(".walked");
    now?.classList.remove("walked");
    const places = [...step.querySelectorAll(PLACES)];
    const at = now && step.contains(now) ? places.indexOf(now) : by > 0 ? -1 : 0;
    const next = places[at + by];
    if (next) {
      this.show(next);
      return;
    }
    const before = steps.current;
    steps.go(before + by);
    if (steps.current === before) {
      if (now) this.show(now);
      return;
    }
    const found = steps.sections[steps.current]?.querySelectorAll(PLACES) ?? [];
    const first = by > 0 ? found[0] : found[found.length - 1];
    if (first) this.show(first);
  }

  private show(place: Element): void {
    place.classList.add("walked");
    place.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.links.light(place);
    const ref = worked(place);
    if (!ref) return;
    this.stroll.to(ref);
    if (!place.querySelector(".term")) this.stroll.carry(BACKWARD.test(ref));
  }

  /** Where a step begins that works something out. */
  private arrive(section: HTMLElement): void {
    const ref = worked(section.querySelector(".calculation"));
    if (ref) this.stroll.to(ref);
    else this.stroll.leave();
  }
}

/** What is worked out at a place of the story. */
function worked(place: Element | null): string | undefined {
  return place?.closest<HTMLElement>(".calculation")?.dataset["ref"];
}
