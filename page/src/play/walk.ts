/** Goes through a step of the story term by term, and on into the next one, or back again. */

import type { Links } from "../links";
import type { Steps } from "../steps";

const PLACES = ".calculation, .term";

/** by: 1 is forward, -1 back. */
export function walk(steps: Steps, links: Links, by: 1 | -1): void {
  const step = steps.sections[steps.current];
  if (!step) return;
  const now = document.querySelector(".walked");
  now?.classList.remove("walked");
  const places = [...step.querySelectorAll(PLACES)];
  const at = now && step.contains(now) ? places.indexOf(now) : by > 0 ? -1 : 0;
  const next = places[at + by];
  if (next) {
    show(next, links);
    return;
  }
  const before = steps.current;
  steps.go(before + by);
  if (steps.current === before) {
    if (now) show(now, links);
    return;
  }
  const found = steps.sections[steps.current]?.querySelectorAll(PLACES) ?? [];
  const first = by > 0 ? found[0] : found[found.length - 1];
  if (first) show(first, links);
}

function show(place: Element, links: Links): void {
  place.classList.add("walked");
  place.scrollIntoView({ block: "nearest", inline: "nearest" });
  links.light(place);
}
