/** What stands at a place of a network, and whether it is trained. */

import type { Layer, State } from "./store";

export type Path = (string | number)[];

export function at(state: State, path: Path): unknown {
  let found: unknown = state.network;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

/** Whether an entry, or all of a parameter, is trained. */
export function trains(layer: Layer, parameter: "weight" | "bias", index: number[] | null): boolean {
  const given = layer.trainable ?? true;
  let mask: unknown = typeof given === "object" ? (given[parameter] ?? true) : given;
  for (const k of index ?? []) {
    if (!Array.isArray(mask)) break;
    mask = mask[k];
  }
  return Array.isArray(mask) ? mask.flat().some(Boolean) : Boolean(mask);
}
