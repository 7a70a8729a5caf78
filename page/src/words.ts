/** What the page was written with: its words, and the picture that goes with each step. */

export interface PageData {
  words: Record<string, string>;
  views: string[];
  /** What each neuron and input is called. */
  names: Record<string, string>;
}

export function read<T>(id: string): T | null {
  const found = document.getElementById(id);
  return found ? (JSON.parse(found.textContent ?? "null") as T) : null;
}

/** A text with its places filled in. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

export class Words {
  constructor(
    private readonly texts: Record<string, string>,
    private readonly names: Record<string, string> = {},
  ) {}

  /** A part of the picture by its own name, or by its symbol. */
  name(part: string): string {
    return this.names[part] ?? part;
  }

  say(key: string, values: Record<string, string | number> = {}): string {
    return fill(this.texts[key] ?? key, values);
  }
}
