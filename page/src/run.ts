/** The time slider over many steps: the numbers of one step, and where it is in the plots. */

import { fill, read } from "./words";

interface Run {
  steps: { number: number; cells: string[] }[];
  said: string;
}

/** Wires the slider where the page holds a run. */
export function startRun(): void {
  const run = read<Run>("run-data");
  const slider = document.querySelector<HTMLInputElement>("#time");
  if (!run || !slider) return;
  const cells = [...document.querySelectorAll<HTMLElement>(".run [data-cell]")];
  const first = run.steps[0]?.number ?? 0;
  const last = run.steps.at(-1)?.number ?? 0;
  const show = (): void => {
    const step = run.steps[Number(slider.value)];
    if (!step) return;
    const said = fill(run.said, { number: step.number });
    slider.setAttribute("aria-valuetext", said);
    for (const output of document.querySelectorAll(".run .when")) output.textContent = said;
    cells.forEach((cell, k) => (cell.textContent = step.cells[k] ?? ""));
    for (const plot of document.querySelectorAll<SVGSVGElement>(".run svg.plot")) {
      moveMarker(plot, (step.number - first) / Math.max(last - first, 1));
    }
  };
  slider.addEventListener("input", show);
  show();
}

function moveMarker(plot: SVGSVGElement, share: number): void {
  const left = Number(plot.dataset["left"]);
  const right = Number(plot.dataset["right"]);
  const x = String(left + share * (right - left));
  const marker = plot.querySelector(".now");
  marker?.setAttribute("x1", x);
  marker?.setAttribute("x2", x);
}
