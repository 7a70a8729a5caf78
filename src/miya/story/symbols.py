"""Symbols and formulas as plain text and as LaTeX."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from .quantity import Symbol

GREEK = {"δ": r"\delta", "Δ": r"\Delta ", "σ": r"\sigma", "η": r"\eta", "θ": r"\theta"}
NAMES = {
    "slope": r"\sigma'",
    "theta": r"\theta",
    "lr": r"\eta",
    "alpha": r"\alpha",
    "delta": r"\delta_H",
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
    "eps": r"\varepsilon",
    "momentum": r"\mu",
    "weight_decay": r"\lambda",
    "dampening": r"\tau",
    "pi": r"\pi",
    "l": r"\ell",
    "cdf": r"\Phi(z)",
    "pdf": r"\varphi(z)",
    "m_hat": r"\hat m",
    "v_hat": r"\hat v",
    "v_max": r"v_{\max}",
    "g_up": r"g_{\uparrow}",
    "log_sum": r"L",
    "change": r"\Delta\theta",
    "initial_accumulator_value": r"s_0",
    "negative_slope": r"\alpha",
    "lr_decay": r"\gamma",
}


WHOLE = {
    "Σ credits": r"\sum \mathrm{credits}",
    "ΔC / ΔC_predicted": r"\frac{\Delta C}{\Delta C^{\mathrm{predicted}}}",
    "residual": r"\mathrm{residual}",
}


def plain_symbol(symbol: Symbol) -> str:
    layer = "" if symbol.layer is None else str(symbol.layer)
    mark = f"_{symbol.mark}" if symbol.mark else ""
    if symbol.own:
        mark = f" ({symbol.mark})" if symbol.mark else ""
        return f"{symbol.head}{_torch_index(symbol)}{mark}"
    return f"{symbol.head}{layer}{mark}" + "".join(f"[{i}]" for i in symbol.index)


def _torch_index(symbol: Symbol) -> str:
    return f"[{','.join(map(str, symbol.index))}]" if symbol.index else ""


def latex_symbol(symbol: Symbol) -> str:
    lower = "" if symbol.layer is None else str(symbol.layer)
    index = f"[{','.join(map(str, symbol.index))}]" if symbol.index else ""
    upper = rf"^{{\mathrm{{{symbol.mark}}}}}" if symbol.mark else ""
    head = symbol.head
    if symbol.own:
        return _own(symbol, upper)
    if head in WHOLE:
        return WHOLE[head]
    if head.startswith("∂C/∂"):
        return rf"\frac{{\partial C}}{{\partial {_quantity(head[4:], lower, upper, index)}}}"
    return _quantity(head, lower, upper, index)


def _own(symbol: Symbol, upper: str) -> str:
    """A name of a model, upright; what LaTeX would read as a command in it is escaped."""
    name = symbol.head.removeprefix("∂C/∂")
    change = name.startswith("Δ")
    text = r"\mathrm{" + re.sub(r"([_#$%&{}])", r"\\\1", name.removeprefix("Δ")) + "}"
    text = (r"\Delta " if change else "") + text + upper + _torch_index(symbol)
    is_slope = symbol.head.startswith("∂C/∂")
    return rf"\frac{{\partial C}}{{\partial {text}}}" if is_slope else text


def _quantity(head: str, lower: str, upper: str, index: str) -> str:
    prefix = ""
    if head.startswith("Δ") and len(head) > 1:
        prefix, head = r"\Delta ", head[1:]
    if head in NAMES:
        head = NAMES[head]
    elif head in GREEK:
        head = GREEK[head]
    elif head == "σ'":
        head = r"\sigma'"
    elif len(head) > 1:
        head = latex_formula(head) if head.isidentifier() else rf"\mathrm{{{head}}}"
    lower = f"_{{{lower}}}" if lower else ""
    if "_" in head:
        head = f"{{{head}}}"
    return f"{prefix}{head}{lower}{upper}{index}"


@lru_cache(maxsize=256)
def latex_formula(formula: str) -> str:
    """One of Miya's own formulas, in symbols."""
    return _write(ast.parse(formula, mode="eval").body, 0)


OPERATORS = {ast.Add: (" + ", 1), ast.Sub: (" - ", 1), ast.Mult: (r" \, ", 2)}
COMPARE = {ast.Gt: ">", ast.Lt: "<", ast.LtE: r"\le", ast.GtE: r"\ge", ast.Eq: "="}


def _write(node: ast.expr, binding: int) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.Name(id=name):
            return _name(name)
        case ast.UnaryOp(operand=operand):
            return _bracket("-" + _write(operand, 2), binding > 1)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return rf"\frac{{{_write(left, 0)}}}{{{_write(right, 0)}}}"
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=0.5)):
            return rf"\sqrt{{{_write(left, 0)}}}"
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"{_write(left, 4)}^{{{_write(right, 0)}}}"
        case ast.BinOp(left=left, op=op, right=right):
            sign, level = OPERATORS[type(op)]
            tail = level + isinstance(op, ast.Sub)
            # a minus that opens the formula needs no brackets: -lr * g
            opens = isinstance(left, ast.UnaryOp) and binding <= 1
            lead = _write(left, 0 if opens else level)
            return _bracket(lead + sign + _write(right, tail), level < binding)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, [_write(a, 0) for a in arguments])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"{_write(left, 0)} {COMPARE[type(op)]} {_write(right, 0)}"
        case ast.IfExp():
            return _cases(node)
        case ast.Subscript(value=value, slice=index):
            return f"{_write(value, 4)}_{{{_write(index, 0)}}}"
    raise ValueError(ast.unparse(node))


def _name(name: str) -> str:
    if name.endswith("_before"):
        return rf"{_name(name.removesuffix('_before'))}^{{\mathrm{{old}}}}"
    return NAMES.get(name, name)


def _call(name: str, arguments: list[str]) -> str:
    inside = ", ".join(arguments)
    if name == "exp":
        return f"e^{{{inside}}}"
    if name == "abs":
        return rf"\left|{inside}\right|"
    if name == "sum":
        return rf"\sum_k {inside}"
    known = {"log": r"\ln", "max": r"\max", "maximum": r"\max", "normal_cdf": r"\Phi"}
    return rf"{known[name]}\left({inside}\right)"


def _cases(node: ast.IfExp) -> str:
    rows = []
    rest: ast.expr = node
    while isinstance(rest, ast.IfExp):
        rows.append(rf"{_write(rest.body, 0)} & \text{{if }} {_write(rest.test, 0)}")
        rest = rest.orelse
    rows.append(rf"{_write(rest, 0)} & \text{{otherwise}}")
    return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"


def _bracket(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text
