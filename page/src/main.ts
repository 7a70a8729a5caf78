/** Brings the page to life. Without it every step is open and readable. */

import { startCuts } from "./cut";
import { Guess } from "./guess";
import { Links } from "./links";
import { Picture } from "./picture";
import { startRun } from "./run";
import { byId, Steps } from "./steps";
import { read, Words, type PageData } from "./words";

function start(): void {
  const data = read<PageData>("page-data");
  const section = document.querySelector<HTMLElement>(".picture");
  const lit = document.querySelector<HTMLElement>(".picture .status");
  if (!data || !section || !lit) return;
  document.documentElement.classList.add("js");
  for (const e of document.querySelectorAll<HTMLElement>(".needs-script")) e.hidden = false;
  const words = new Words(data.words, data.names);
  const { signal } = new AbortController(); // the page lives as long as its document
  const picture = new Picture(section, words, signal);
  const steps = new Steps(data, words, picture, signal);
  new Links(
    byId("story"),
    section,
    lit,
    words,
    (texts) => steps.mark(texts),
    (parts) => picture.approach(parts),
    signal,
  );
  new Guess(words, steps, picture, signal);
  byId("zoom").addEventListener("click", () => {
    byId("zoom").setAttribute("aria-pressed", String(picture.toggleWhole()));
  });
  startRun();
  startCuts(signal);
}

start();
