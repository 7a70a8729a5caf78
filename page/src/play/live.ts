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
const INPUT = "text:not(.t-name)";

const LEAST = 3.5; // pixels; a text that is less high cannot be read

interface Card {
  box: DOMRect;
  texts: { place: SVGTextElement; size: number }[];
}

// asked of a picture once: it has thousands of texts
const found = new WeakMap<SVGSVGElement, Map<string, Card>>();

function cardsOf(svg: SVGSVGElement): Map<string, Card> {
  let cards = found.get(svg);
  if (!cards) {
    cards = new Map();
    const sizes = new Map<string, number>();
    const sizeOf = (place: Element): number => {
      const kind = place.getAttribute("class") ?? "";
      const size = sizes.get(kind) ?? parseFloat(getComputedStyle(place).fontSize);
      sizes.set(kind, size);
      return size;
    };
    for (const group of svg.querySelectorAll<SVGGElement>("g.neuron, g.input, g.loss")) {
      const selector = group.matches(".neuron") ? CARD : group.matches(".input") ? INPUT : "text";
      const places = [...group.querySelectorAll<SVGTextElement>(selector)];
      const texts = places.map((place) => ({ place, size: sizeOf(place) }));
      cards.set(group.getAttribute("data-ref") ?? "C", { box: group.getBBox(), texts });
    }
    found.set(svg, cards);
  }
  return cards;
}

/**
 * Sets those that are in sight and large enough to be read; the others, and those of another shape,
 * come with the picture that is drawn anew once the state rests.
 */
export function setNumbers(svg: SVGSVGElement, numbers: Numbers): void {
  const by = svg.getScreenCTM();
  const frame = svg.closest(".frame")?.getBoundingClientRect();
  if (!numbers.cards || !by || !frame) return;
  const cards = cardsOf(svg);
  const all = { ...numbers.cards, ...numbers.inputs, C: numbers.total ?? [] };
  for (const [ref, texts] of Object.entries(all)) {
    const card = cards.get(ref);
    if (card?.texts.length !== texts.length || !meets(card.box, by, frame)) continue;
    card.texts.forEach(({ place, size }, k) => {
      const text = texts[k] ?? "";
      if (size * by.a >= LEAST && place.firstChild?.nodeValue !== text) place.textContent = text;
    });
  }
}

function meets({ x, y, width, height }: DOMRect, by: DOMMatrix, frame: DOMRect): boolean {
  const [left, top] = [by.a * x + by.e, by.d * y + by.f];
  return (
    left < frame.right &&
    left + by.a * width > frame.left &&
    top < frame.bottom &&
    top + by.d * height > frame.top
  );
}
