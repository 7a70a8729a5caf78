/** The curves of the steps that were taken: the loss, and blame by layer. */

import { Curves, type Point } from "./charts";
import { byId, setText } from "./ui";

export class Trail {
  private readonly all = [
    new Curves(byId("loss-curve") as HTMLCanvasElement, (p) => [p.loss]),
    new Curves(byId("blame-curve") as HTMLCanvasElement, (p) => p.pressure),
  ];

  add(points: Point[]): void {
    const last = points.at(-1);
    if (last) setText(byId("steps-now"), String(last.step));
    for (const curves of this.all) {
      curves.add(points);
      curves.draw();
    }
  }

  /** Leaves out what comes after a step. */
  until(step: number): void {
    for (const curves of this.all) curves.until(step);
  }

  forget(): void {
    for (const curves of this.all) {
      curves.points = [];
      curves.draw();
    }
  }
}
