/** Which part of the picture a quantity belongs to. */

const LOSS = new Set(["C", "l", "y", "p", "L"]);

/**
 * The part that a quantity's plain name belongs to: a neuron "n1.0", an edge "W2[0][1]" or
 * "b1[0]", an input "x[0]", the loss "C"; null where it belongs to none.
 * In a batch the first index of z, a and δ is the example's, so the last one is the neuron's.
 */
export function partOf(ref: string): string | null {
  const [, stem = "", index = ""] = /^(.*?)((?:\[\d+\])*)$/u.exec(ref) ?? [];
  const state = /_([Wb]\d+)$/.exec(stem); // of an optimizer: "m_hat_W1[0][1]"
  if (state) return `${state[1]}${index}`;
  const bare = stem.replace(/^(∂C\/∂|Δ|credit )/u, "").replace(/_[a-z]+$/, "");
  const [, head = "", layer = ""] = /^(.*?)(\d*)$/u.exec(bare) ?? [];
  const last = index.match(/\d+/g)?.at(-1);
  if (LOSS.has(head) && !layer) return "C";
  if (last === undefined) return null;
  if (head === "x") return `x[${last}]`;
  if (!layer) return null;
  if (head === "W" || head === "b") return `${head}${layer}${index}`;
  // m of a softmax layer is the whole layer's: its index is the example's
  return head === "m" ? null : `n${layer}.${last}`;
}

/** Whether `part` is an edge into the neuron `neuron`. */
export function leadsInto(part: string, neuron: string): boolean {
  const into = /^n(\d+)\.(\d+)$/.exec(neuron);
  if (!into) return false;
  const [, layer, i] = into;
  return part.startsWith(`W${layer}[${i}]`) || part === `b${layer}[${i}]`;
}

/** Whether pointing at `target` in the picture lights what belongs to `part`. */
export function lights(target: string, part: string): boolean {
  return part === target || leadsInto(part, target);
}

/** The input that a weight of the first layer carries; null for every other part. */
export function inputOf(part: string): string | null {
  const found = /^W1\[\d+\](\[\d+\])$/.exec(part);
  return found ? `x${found[1]}` : null;
}
