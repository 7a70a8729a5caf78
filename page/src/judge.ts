/** Judges a guess against the value as it is printed. */

export type Verdict = "right" | "close" | "wrong";
export type Sign = "positive" | "negative" | "zero";

const RIGHT = 0.01; // of the value
const CLOSE = 0.1;

export function signOf(shown: string): Sign {
  const value = Number(shown);
  return value > 0 ? "positive" : value < 0 ? "negative" : "zero";
}

/** A number as people write it: "-0,25", "−3e-4", "+.5"; null for what is none. */
export function readNumber(given: string): number | null {
  const text = given.trim().replace(/[−–]/g, "-").replace(",", ".");
  const found = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(found) ? found : null;
}

/**
 * Right within 1 % of the value, close within 10 %.
 * The sign was asked before, so a number without one counts by its size.
 */
export function judge(shown: string, given: string): Verdict | null {
  const guess = readNumber(given);
  if (guess === null) return null;
  const value = Number(shown);
  const signed = /^[+\-−–]/.test(given.trim());
  const away = signed ? Math.abs(guess - value) : Math.abs(Math.abs(guess) - Math.abs(value));
  if (away <= RIGHT * Math.abs(value)) return "right";
  return away <= CLOSE * Math.abs(value) ? "close" : "wrong";
}
