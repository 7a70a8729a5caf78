/** Tells a state anew, picture first and then the story, once nothing changes for a while. */

import { Latest, type Answer, type Transport } from "./api";
import { drawBoundary, type Boundary } from "./charts";
import type { Stage } from "./stage";
import type { State, Store } from "./store";
import { byId } from "./ui";

const REST = 150; // milliseconds without a change

export interface Told {
  /** Whether steps run: then the picture alone follows, every so often. */
  running: () => boolean;
  /** Whether a change is under way: it has right of way. */
  changing: () => boolean;
  fault: (answer: Answer) => void;
  drawn: () => void;
  told: () => void;
  note: () => void;
}

export class Teller {
  private timer = 0;
  private readonly views = new Latest<State>((state) => this.tell(state));

  constructor(
    private readonly store: Store,
    private readonly ask: Transport,
    private readonly stage: Stage,
    private readonly heard: Told,
  ) {}

  get waits(): boolean {
    return this.timer !== 0;
  }

  now(): void {
    this.views.ask(this.store.state);
  }

  later(): void {
    const running = this.heard.running();
    if (running && this.timer) return;
    window.clearTimeout(this.timer);
    const wait = running ? Math.max(4 * REST, 10 * this.stage.drawn) : REST;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      if (this.heard.changing()) this.later();
      else this.now();
    }, wait);
    this.heard.note();
  }

  private async tell(state: State): Promise<void> {
    const { heard } = this;
    const overtaken = (): boolean =>
      !heard.running() && (state !== this.store.state || heard.changing());
    if (overtaken()) return;
    const picture = await this.ask({ action: "picture", state });
    if (overtaken()) return;
    if (picture.error) {
      heard.fault(picture);
      return;
    }
    if (heard.running()) await painted();
    this.stage.draw(picture);
    heard.drawn();
    await this.boundary(state);
    if (heard.running() || overtaken()) return;
    const story = await this.ask({ action: "story", state });
    if (heard.running() || overtaken()) return;
    if (story.error) heard.fault(story);
    else this.stage.tell(story);
    heard.told();
  }

  /** Of a network of two inputs. */
  private async boundary(state: State): Promise<void> {
    const two = state.network.layers[0]?.weight[0]?.length === 2;
    byId("boundary-box").hidden = !two;
    if (!two) return;
    const answer = await this.ask({ action: "boundary", state, size: 40 });
    if (answer.error) return;
    drawBoundary(byId("boundary") as HTMLCanvasElement, answer as unknown as Boundary);
  }
}

/** Just after a frame, when there is the most time before the next one. */
function painted(): Promise<void> {
  return new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
}
