/** Sets the numbers of a picture whose shape stays: the texts come from the core, in order. */

export interface Numbers {
  loss: string;
  after: string;
  predicted: string;
  value: number;
  cards: Record<string, string[]> | null;
  inputs?: Record<string, string[]>;
  total?: string[];
}

const CARD = "text:not(.t-name, .t-head, .t-symbol)";

/** Returns whether every text had its place; else the picture has to be drawn anew. */
export function setNumbers(svg: SVGSVGElement, numbers: Numbers): boolean {
  if (!numbers.cards) return false;
  let whole = true;
  const set = (group: Element | null, selector: string, texts: string[]): void => {
    const places = group ? [...group.querySelectorAll<SVGTextElement>(selector)] : [];
    if (places.length !== texts.length) whole = false;
    places.forEach((place, k) => {
      const text = texts[k];
      if (text !== undefined && place.textContent !== text) place.textContent = text;
    });
  };
  const groups = new Map<string, Element>();
  for (const group of svg.querySelectorAll("g.neuron, g.input")) {
    groups.set(group.getAttribute("data-ref") ?? "", group);
  }
  for (const [ref, texts] of Object.entries(numbers.cards)) {
    set(groups.get(ref) ?? null, CARD, texts);
  }
  for (const [ref, texts] of Object.entries(numbers.inputs ?? {})) {
    set(groups.get(ref) ?? null, "text:not(.t-name)", texts);
  }
  set(svg.querySelector("g.loss"), "text", numbers.total ?? []);
  return whole;
}
