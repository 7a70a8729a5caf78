/** Marks the boxes that are cut at an edge, so that a shadow can say so. */

const BOXES = ".calculation, .maths, .scroll";

function mark(box: Element): void {
  box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1);
}

/** Asks only what is in sight, so that the rest of a long step need not be laid out. */
export function startCuts(signal: AbortSignal): void {
  const inSight = new Set<Element>();
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
    }
    inSight.forEach(mark);
  });
  for (const box of document.querySelectorAll(BOXES)) seen.observe(box);
  signal.addEventListener("abort", () => seen.disconnect());
  window.addEventListener("resize", () => inSight.forEach(mark), { signal });
  // the width of the maths is known once its font is
  void document.fonts.ready.then(() => inSight.forEach(mark));
}
