/** The curves of the steps that were taken: the loss, and blame by layer. */

import type { Words } from "../words";
import { Curves, sample, type Point } from "./charts";
import { byId, make, setText } from "./ui";

export class Trail {
  private readonly losses = new Curves(byId("loss-curve") as HTMLCanvasElement, (p) => [p.loss]);
  private readonly all = [
    this.losses,
    new Curves(byId("blame-curve") as HTMLCanvasElement, (p) => p.pressure),
  ];

  constructor(private readonly words: () => Words) {}

  add(points: Point[]): void {
    const last = points.at(-1);
    if (last) setText(byId("steps-now"), String(last.step));
    for (const curves of this.all) {
      curves.add(points);
      curves.draw();
    }
    this.say();
  }

  /** Leaves out what comes after a step. */
  until(step: number): void {
    for (const curves of this.all) curves.until(step);
    this.say();
  }

  forget(): void {
    for (const curves of this.all) {
      curves.points = [];
      curves.draw();
    }
    this.say();
  }

  /** From which loss to which, and whose line is whose. */
  say(): void {
    const { points } = this.losses;
    const [first, last] = [points[0], points.at(-1)];
    setText(byId("loss-span"), first && last ? `${first.said} → ${last.said}` : "");
    const told = (last?.pressure ?? []).map((_, k) => this.words().say("layer", { layer: k + 1 }));
    const place = byId("blame-key");
    if (place.textContent === told.join("")) return;
    place.replaceChildren(
      ...told.map((text, k) => {
        const found = make("span", text);
        found.prepend(sample(k));
        return found;
      }),
    );
  }
}
