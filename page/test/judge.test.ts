import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, readNumber, signOf, type Verdict } from "../src/judge";
import { fill } from "../src/words";

const CASES: [string, string, Verdict | null][] = [
  ["0.08", "0.08", "right"],
  ["0.51999", "0.52", "right"],
  ["0.51999", "0.5", "close"],
  ["0.51999", "0.4", "wrong"],
  ["-0.24643", "-0.246", "right"],
  ["-0.24643", "0.246", "right"],
  ["-0.24643", "+0.246", "wrong"],
  ["-0.24643", "−0,25", "close"],
  ["7.9736e-6", "8e-6", "right"],
  ["7.9736e-6", "8", "wrong"],
  ["0", "0", "right"],
  ["0", "0.1", "wrong"],
  ["1", "1.4", "wrong"],
  ["1", "1.005", "right"],
  ["0.08", "about a tenth", null],
  ["0.08", "", null],
];

for (const [shown, given, verdict] of CASES) {
  test(`${given || "nothing"} for ${shown} is ${verdict}`, () => {
    assert.equal(judge(shown, given), verdict);
  });
}

test("signs and numbers are read as they are printed", () => {
  assert.equal(signOf("-7.9e-6"), "negative");
  assert.equal(signOf("0"), "zero");
  assert.equal(signOf("0.1"), "positive");
  assert.equal(readNumber(" +.5 "), 0.5);
  assert.equal(readNumber("1e999"), null);
  assert.equal(readNumber("0x10"), null);
});

test("places in a text are filled in, unknown ones stay", () => {
  assert.equal(fill("{k} of {n}: {what}", { k: 1, n: 2 }), "1 of 2: {what}");
});
