/** The words of the page, wherever it names one. */

import type { Words } from "../words";

export const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "miya-language";

/** The language that the page was made in, or that was chosen, or that the browser speaks. */
export function languageOf(): Language {
  const given = document.documentElement.dataset["language"] || kept()?.getItem(KEY);
  const spoken = navigator.language.startsWith("ja") ? "ja" : "en";
  return LANGUAGES.find((language) => language === given) ?? spoken;
}

export function keepLanguage(language: Language): void {
  kept()?.setItem(KEY, language);
}

export function sayAll(words: Words, language: Language): void {
  document.documentElement.lang = language;
  document.title = words.say("play_title");
  for (const place of document.querySelectorAll<HTMLElement>("[data-say]")) {
    place.textContent = words.say(place.dataset["say"] ?? "");
  }
  for (const place of document.querySelectorAll<HTMLElement>("[data-label]")) {
    const said = words.say(place.dataset["label"] ?? "");
    place.setAttribute("aria-label", said);
    if (place.matches("button")) place.title = said;
  }
}

/** null where the browser keeps nothing, as of a page in a sandbox. */
function kept(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
