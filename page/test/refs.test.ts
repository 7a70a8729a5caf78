import assert from "node:assert/strict";
import { test } from "node:test";
import { inputOf, leadsInto, lights, partOf } from "../src/refs";

const PARTS: [string, string | null][] = [
  ["z1[0]", "n1.0"],
  ["a12[3]", "n12.3"],
  ["δ1[0]", "n1.0"],
  ["σ'1[2]", "n1.2"],
  ["∂C/∂a1[0]", "n1.0"],
  ["z2[5][1]", "n2.1"],
  ["W2[0][1]", "W2[0][1]"],
  ["∂C/∂W2[0][1]", "W2[0][1]"],
  ["ΔW2[0][1]", "W2[0][1]"],
  ["credit W2[0][1]", "W2[0][1]"],
  ["s_before_b2[0]", "b2[0]"],
  ["residual", null],
  ["W2_new[0][1]", "W2[0][1]"],
  ["b1[0]", "b1[0]"],
  ["b1_new[0]", "b1[0]"],
  ["m_hat_W1[0][1]", "W1[0][1]"],
  ["g_up_b2[0]", "b2[0]"],
  ["x[2]", "x[2]"],
  ["x[1][2]", "x[2]"],
  ["C", "C"],
  ["C_each[1]", "C"],
  ["ΔC", "C"],
  ["ΔC_predicted", "C"],
  ["l[0][1]", "C"],
  ["y[0]", "C"],
  ["m3", null],
  ["m3[1]", null],
  ["Σ credits", null],
];

for (const [ref, part] of PARTS) {
  test(`${ref} belongs to ${part}`, () => assert.equal(partOf(ref), part));
}

test("an edge leads into the neuron that it is a weight of", () => {
  assert.ok(leadsInto("W1[0][2]", "n1.0"));
  assert.ok(leadsInto("b1[0]", "n1.0"));
  assert.ok(!leadsInto("W1[1][0]", "n1.0"));
  assert.ok(!leadsInto("W11[0][0]", "n1.0"));
  assert.ok(!leadsInto("W1[0][0]", "W1[0][0]"));
});

test("a neuron lights its own and its edges' quantities, an edge only its own", () => {
  assert.ok(lights("n1.0", "n1.0"));
  assert.ok(lights("n1.0", "W1[0][2]"));
  assert.ok(lights("W1[0][2]", "W1[0][2]"));
  assert.ok(!lights("W1[0][2]", "n1.0"));
});

test("a weight of the first layer carries an input", () => {
  assert.equal(inputOf("W1[0][2]"), "x[2]");
  assert.equal(inputOf("W2[0][2]"), null);
  assert.equal(inputOf("b1[0]"), null);
});
