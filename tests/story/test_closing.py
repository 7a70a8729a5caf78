"""Whoever retypes the printed digits gets the printed result: evaluated here by mpmath, and by
Python's own floats, from the JSON alone."""

import ast
import json
import math
import operator
from decimal import Decimal, getcontext

import mpmath as mp
import pytest
from networks import random_network

import miya
from miya.core.activations import KINDS as ACTIVATIONS

MATHS = mp.mp.clone() if hasattr(mp.mp, "clone") else mp.mp
MATHS.dps = 60
getcontext().prec = 800
ALLOWED = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def evaluate(text, number, exp, log):
    """An evaluator of its own, on Python's grammar, of numbers + - * / ** ( ) exp log."""

    def go(node):
        match node:
            case ast.Constant():
                return number(ast.get_source_segment(text, node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -go(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return ALLOWED[type(op)](go(left), go(right))
            case ast.Call(func=ast.Name(id="exp"), args=[argument]):
                return exp(go(argument))
            case ast.Call(func=ast.Name(id="log"), args=[argument]):
                return log(go(argument))
        raise AssertionError(f"{text}: {ast.dump(node)} is no plain arithmetic")

    return go(ast.parse(text, mode="eval").body)


def decimals(result):
    head, _, exponent = result.partition("e")
    return len(head.partition(".")[2]) - int(exponent or 0)


def check(step):
    result, expression = step["result"], step["expression"]
    unit = MATHS.mpf(10) ** -decimals(result)
    exact = evaluate(expression, MATHS.mpf, MATHS.exp, MATHS.log)
    assert MATHS.nint(exact / unit) == MATHS.nint(MATHS.mpf(result) / unit), step
    try:
        floats = evaluate(expression, float, math.exp, math.log)
    except OverflowError:
        raise AssertionError(f"overflows: {step}") from None
    assert Decimal(floats).quantize(Decimal(result)) == Decimal(result), step


def steps(net, **options):
    return json.loads(miya.explain(net, **options).json())["steps"]


@pytest.mark.parametrize("carry", ["exact", "rounded"])
@pytest.mark.parametrize("block", range(10))
def test_every_printed_calculation_closes(block, carry):
    for seed in range(block * 12, block * 12 + 12):
        net = random_network(
            seed, sizes=[2, 3, 2] if seed % 2 else None, digits=[2, 3, 17][seed % 3]
        )
        for step in steps(net, carry=carry, digits=[3, 4, 5, 7][seed % 4]):
            check(step)


@pytest.mark.parametrize("carry", ["exact", "rounded"])
@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a != "softmax"])
def test_every_activation_closes_far_out(activation, carry):
    for z in (-1000, -200, -30, -13, -7, -3.5, -1e-6, 0, 1e-6, 2.9, 3.1, 6.5, 13, 45, 1000):
        net = {
            "learning_rate": 0.1,
            "loss": "half_squared_error",
            "layers": [
                {"weight": [[1]], "bias": [0], "activation": activation},
                {"weight": [[0.5]], "bias": [0.25]},
            ],
            "examples": [{"input": [z], "target": [0.3]}],
        }
        for step in steps(net, carry=carry):
            check(step)


@pytest.mark.parametrize("digits", [1, 2, 10, 12])
def test_few_and_many_digits_close(digits):
    for carry in ("exact", "rounded"):
        for step in steps(None, digits=digits, carry=carry):
            check(step)


def test_the_checker_sees_a_wrong_digit():
    step = steps(None)[0]
    check(step)
    with pytest.raises(AssertionError):
        check({**step, "result": "0.09"})


def test_rounded_carry_carries_the_rounded_value_on():
    told = miya.explain(carry="rounded", digits=3).data()
    # a1 by hand to 3 digits, then z2 from those
    assert told["layers"][0]["a"] == [0.52, 0.565, 0.435]
    z2 = 0.2 * 0.52 - 0.3 * 0.565 + 0.1 * 0.435 + 0.05
    assert told["layers"][1]["z"] == [float(f"{z2:.2e}")]


def test_the_json_has_what_it_promises():
    told = json.loads(miya.explain().json())
    assert set(told["loss"]) >= {"before", "after", "predicted_change", "credit_sum", "residual"}
    for layer in told["layers"]:
        assert set(layer) >= {"name", "input", "z", "a", "grad_a", "delta", "weight", "bias"}
        assert set(layer["weight"]) >= {"before", "gradient", "after"}
    assert told["layers"][0]["delta"][1] == pytest.approx(0.0181736, abs=1e-7)
    assert {"kind", "symbol", "expression", "result"} == set(told["steps"][0])
    batch = json.loads(miya.explain(random_network(1, examples=4, sizes=[2, 3, 1])).json())
    assert len(batch["layers"][0]["z"]) == 4 and len(batch["layers"][0]["z"][0]) == 3
