// Builds the script and style of the story's page and of the playground into two folders, or with
// --tests the unit tests into one.
import { build } from "esbuild";
import { copyFileSync, readdirSync } from "node:fs";

const [first, second] = process.argv.slice(2);
if (!first || !second) throw new Error("usage: node build.mjs STORY PLAY, or --tests FOLDER");
const tests = first === "--tests";
const shared = { bundle: true, target: "es2022", charset: "utf8", legalComments: "none" };

if (tests) {
  const entryPoints = readdirSync("test").map((name) => `test/${name}`);
  const outExtension = { ".js": ".mjs" };
  await build({ ...shared, entryPoints, outdir: second, platform: "node", format: "esm", outExtension });
} else {
  await build({ ...shared, entryPoints: { miya: "src/main.ts" }, outdir: first, format: "iife" });
  await build({ ...shared, entryPoints: { miya: "src/miya.css" }, outdir: first, minify: true });
  const play = { ...shared, outdir: second, minify: true, external: ["maths.woff2"] };
  await build({ ...play, entryPoints: { play: "src/play/main.ts" }, format: "iife" });
  await build({ ...play, entryPoints: { play: "src/play/play.css" } });
  copyFileSync("src/play/play.html", `${second}/play.html`);
}
