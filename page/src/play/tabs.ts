/** The panels beside the network, one of them open. */

import { byId } from "./ui";

export const PANELS = ["edit", "data", "blame", "lessons", "mark", "file"] as const;
export type Panel = (typeof PANELS)[number];

export class Tabs {
  private now: Panel = "edit";

  constructor(private readonly onOpen: () => void) {
    for (const panel of PANELS) byId(`tab-${panel}`).addEventListener("click", () => this.open(panel));
    byId("tabs").addEventListener("keydown", (event) => this.key(event));
  }

  get panel(): Panel {
    return this.now;
  }

  get root(): HTMLElement {
    return byId(`panel-${this.now}`);
  }

  open(panel: Panel): void {
    this.now = panel;
    for (const name of PANELS) {
      const chosen = name === panel;
      byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
      byId(`panel-${name}`).hidden = !chosen;
    }
    this.onOpen();
  }

  private key(event: KeyboardEvent): void {
    const last = PANELS.length - 1;
    const now = PANELS.indexOf(this.now);
    const to = {
      ArrowLeft: now > 0 ? now - 1 : last,
      ArrowRight: now < last ? now + 1 : 0,
      Home: 0,
      End: last,
    }[event.key];
    const next = to === undefined ? undefined : PANELS[to];
    if (!next) return;
    event.preventDefault();
    this.open(next);
    byId(`tab-${next}`).focus();
  }
}
