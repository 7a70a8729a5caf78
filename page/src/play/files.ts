/** Opening and saving: network files, programs, pictures, stories, the whole state, a link. */

import type { Desk } from "./desk";
import type { State } from "./store";
import { button, download, field, make, nameIn, textOf } from "./ui";

const FORMS = ["toml", "json", "numpy", "torch", "svg", "png", "markdown", "latex", "html"];

export function filePanel(root: HTMLElement, desk: Desk): void {
  const { words, store } = desk;
  const file = make("input");
  file.type = "file";
  file.accept = ".toml,.json";
  file.addEventListener("change", () => {
    const name = file.files?.[0]?.name ?? "";
    void textOf(file).then((text) => {
      if (text !== null) void openText(desk, opened, name, text);
    });
  });
  const opened = field(words.say("open_file"), file);
  const row = make("p", "", "acts");
  for (const form of FORMS) {
    row.append(button(nameIn(words)(form), () => void save(desk, form)));
  }
  row.append(
    button(words.say("form_state"), () => {
      download("play.miya.json", "application/json", `${JSON.stringify(store.state, null, 1)}\n`);
    }),
    button(words.say("copy_link"), () => {
      const copied = (): void => desk.say(words.say("link_copied"));
      const refused = (): void => desk.say(location.href);
      // an address that is not encrypted, as a classroom's may be, has no clipboard
      const written = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
      void written.then(copied, refused);
    }, "of-page"),
  );
  root.replaceChildren(
    opened,
    make("h2", words.say("save_as")),
    row,
    make("p", words.say("link_hint"), "note of-page"),
  );
}

/** A network file, or a state that was saved here. */
async function openText(desk: Desk, row: HTMLElement, name: string, text: string): Promise<void> {
  const form = /[^.]*$/.exec(name.toLowerCase())?.[0] ?? "";
  if (form === "json") {
    try {
      const given = JSON.parse(text) as Record<string, unknown>;
      if ("version" in given && "network" in given) {
        if (await desk.ask({ action: "numbers", state: given }, row)) desk.open(given as unknown as State);
        return;
      }
    } catch {
      // the core says what is wrong with it, and where
    }
  }
  const answer = await desk.ask({ action: "open", text, form }, row);
  if (answer) desk.open(answer["state"] as State);
}

async function save(desk: Desk, form: string): Promise<void> {
  const answer = await desk.ask({ action: "export", state: desk.store.state, form });
  if (!answer) return;
  const { name, media, text, base64 } = answer as unknown as Record<string, string | undefined>;
  if (!name || !media) return;
  if (base64 !== undefined) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    download(name, media, bytes);
  } else download(name, media, text ?? "");
}
