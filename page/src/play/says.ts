/** What the page says of itself: that it waits, what went wrong, and whether anything is under way. */

import type { Words } from "../words";
import type { Answer, Waits } from "./api";
import { blameField, byId, problemIn, setText } from "./ui";

const NOTHING = { code: "", text: "", hint: "", path: [], place: "" };

export class Says {
  constructor(private readonly words: () => Words) {}

  message(text: string, bad = false): void {
    const place = byId("message");
    setText(place, text);
    place.classList.toggle("bad", bad);
    place.hidden = !text;
  }

  waits(why: Waits | null): void {
    const place = byId("waiting");
    place.hidden = why === null;
    if (why) place.textContent = this.words().say(`waiting_${why}`);
  }

  /** A fault is said beside `row`, or else beside the field that it is about, or else on top. */
  fault(answer: Answer, row?: HTMLElement): void {
    const { code, text, hint, path, place } = answer.error ?? NOTHING;
    const at = row && place ? `${place}: ` : "";
    const advice = hint ? `. ${hint.charAt(0).toUpperCase()}${hint.slice(1)}` : "";
    const said = `${code} ${at}${text}${advice}`;
    if (row ? !problemIn(row, said) : !blameField(path, said)) this.message(said, true);
  }
}
