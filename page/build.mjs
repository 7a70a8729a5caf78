// Builds the page's script and style into a folder, or with --tests the unit tests.
import { build } from "esbuild";
import { readdirSync } from "node:fs";

const [first, second] = process.argv.slice(2);
const tests = first === "--tests";
const folder = tests ? second : first;
if (!folder) throw new Error("usage: node build.mjs [--tests] FOLDER");
const shared = { bundle: true, target: "es2022", charset: "utf8", legalComments: "none" };

if (tests) {
  const entryPoints = readdirSync("test").map((name) => `test/${name}`);
  const outExtension = { ".js": ".mjs" };
  await build({ ...shared, entryPoints, outdir: folder, platform: "node", format: "esm", outExtension });
} else {
  await build({ ...shared, entryPoints: { miya: "src/main.ts" }, outdir: folder, format: "iife" });
  await build({ ...shared, entryPoints: { miya: "src/miya.css" }, outdir: folder, minify: true });
}
