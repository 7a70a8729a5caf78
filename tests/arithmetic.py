"""The tests' own evaluator of printed arithmetic: mpmath, and Python's floats."""

import ast
import math
import operator
from decimal import Context, Decimal, getcontext

import mpmath as mp

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
    # and read as significant digits
    digits = len(Decimal(result).as_tuple().digits)
    value = Decimal(MATHS.nstr(exact, 55))
    noise = step.get("kind") == "residual" or Decimal(result) == 0
    assert noise or Context(prec=digits).plus(value) == Decimal(result), step
    try:
        floats = evaluate(expression, float, math.exp, math.log)
    except OverflowError:
        raise AssertionError(f"overflows: {step}") from None
    assert Decimal(floats).quantize(Decimal(result)) == Decimal(result), step
