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

const LEAST = 5; // pixels; a text that is less high cannot be read

interface Card {
  box: DOMRect;
  texts: { place: SVGTextElement; size: number }[];
}

interface Cards {
  of: Map<string, Card>;
  /** Pixels to a unit of the picture, when it was last asked. */
  scale: number;
}

// asked of a picture once: it has thousands of texts
const found = new WeakMap<SVGSVGElement, Cards>();

function cardsOf(svg: SVGSVGElement): Cards {
  let cards = found.get(svg);
  if (!cards) {
    const of = new Map<string, Card>();
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
      of.set(group.getAttribute("data-ref") ?? "C", { box: group.getBBox(), texts });
    }
    cards = { of, scale: svg.getScreenCTM()?.a ?? 1 };
    found.set(svg, cards);
  }
  return cards;
}

/** Where the picture stands on the screen, and the frame that shows a part of it. */
export interface Sight {
  by: DOMMatrix;
  frame: DOMRect;
}

export function sightOf(svg: SVGSVGElement): Sight | null {
  const by = svg.getScreenCTM();
  const frame = svg.closest(".frame")?.getBoundingClientRect();
  return by && frame ? { by, frame } : null;
}

/** The neurons whose cards are in sight and large enough to be read. */
export function inSight(svg: SVGSVGElement, sight: Sight): string[] {
  const cards = cardsOf(svg);
  cards.scale = sight.by.a;
  const legible = ({ texts }: Card): boolean => texts.some(({ size }) => size * cards.scale >= LEAST);
  return [...cards.of]
    .filter(([ref, card]) => ref.startsWith("n") && legible(card) && meets(card.box, sight))
    .map(([ref]) => ref);
}

/**
 * Sets those that are told; the others, and those of another shape, come with the picture that is
 * drawn anew once the state rests.
 */
export function setNumbers(svg: SVGSVGElement, numbers: Numbers): void {
  if (!numbers.cards) return;
  const { of, scale } = cardsOf(svg);
  const all = { ...numbers.cards, ...numbers.inputs, C: numbers.total ?? [] };
  for (const [ref, texts] of Object.entries(all)) {
    const card = of.get(ref);
    if (card?.texts.length !== texts.length) continue;
    card.texts.forEach(({ place, size }, k) => {
      if (size * scale >= LEAST) write(place, texts[k] ?? "");
    });
  }
}

/** Into the text that is there already: another one would be styled first. */
function write(place: SVGTextElement, text: string): void {
  const there = place.firstChild;
  if (!(there instanceof Text)) place.textContent = text;
  else if (there.data !== text) there.data = text;
}

export function meets({ x, y, width, height }: DOMRect, { by, frame }: Sight): boolean {
  const [left, top] = [by.a * x + by.e, by.d * y + by.f];
  return (
    left < frame.right &&
    left + by.a * width > frame.left &&
    top < frame.bottom &&
    top + by.d * height > frame.top
  );
}
