/** A state as the fragment of an address: deflated JSON in base64 for URLs (web/state.py). */

import type { State } from "./store";

async function through(bytes: Uint8Array<ArrayBuffer>, by: CompressionStream): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(by);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function encode(state: State): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const squeezed = await through(bytes, new CompressionStream("deflate-raw"));
  let text = "";
  for (const byte of squeezed) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
