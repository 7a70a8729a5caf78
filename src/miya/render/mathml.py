"""Calculations, matrices and formulas as presentation MathML (MathML Core).

A number that is the value of a quantity carries that quantity's plain name in `data-ref`; the
factors of one term of a sum stand together in a `term`. The digits are those of every format.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..story.blocks import Blank, Calculation, Matrix
from ..story.closing import Closed
from ..story.expression import (
    BINDING,
    Binary,
    Call,
    Expression,
    Name,
    Named,
    Negative,
    Number,
    Write,
    plain,
    quantities,
)
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from .mathml_names import element, math, name, number, operator, symbol
from .notation import Assignment, Formulas, formulas

LINE = 46  # characters of a sum before it goes on in a new line
BASE = 5  # binds as the base of a power does
LEVEL = {**BINDING, "@": 2, "⊙": 2, ">": 0, "<=": 0, "<": 0, ">=": 0, ",": 0}
FUNCTIONS = {"log": "ln", "normal_cdf": "Φ", "max": "max", "maximum": "max"}


def calculation(item: Calculation, label: str) -> str:
    """symbol = expression = result; a long sum goes on in further lines."""
    closed = item.closed
    head = symbol(item.symbol)
    result = element("mrow", number(closed.result), class_="result")
    if plain(closed.tree, closed.write) == closed.result:
        return math(element("mrow", head, operator("="), result), label)
    relation = operator(closed.relation, "infix")
    lines = list(_lines(closed))
    if len(lines) == 1:
        return math(element("mrow", head, operator("="), lines[0], relation, result), label)
    lines[-1] = lines[-1] + relation + result
    rows = [element("mtr", *map(_cell, (head + operator("=", "infix"), lines[0])))]
    rows += [element("mtr", *map(_cell, ("", line))) for line in lines[1:]]
    return math(element("mtable", *rows, class_="lines"), label)


def blank(item: Blank, label: str) -> str:
    """symbol = expression =, up to where the result is to be written."""
    parts = [symbol(item.symbol), operator("=")]
    if item.tree is not None:
        parts += [tree(item.tree, item.write), operator("=", "infix")]
    return math(element("mrow", *parts), label)


def _cell(inside: str) -> str:
    return element("mtd", element("mrow", inside) if inside else "")


def _lines(closed: Closed) -> Iterator[str]:
    """The terms of a sum, as many in a line as there is room for."""
    line, used = "", 0
    for sign, term in _terms(closed.tree):
        size = len(plain(term, closed.write).replace(" ", "")) + 1
        if line and used + size > LINE:
            yield line
            line, used = "", 0
        level = LEVEL["+"] + (sign == "-")
        made = tree(term, closed.write, level, first=not sign)
        if len(list(quantities(term))) > 1 and term is not closed.tree:
            made = element("mrow", made, class_="term")
        line += (operator(sign, "infix") if sign else "") + made
        used += size
    yield line


def _terms(whole: Expression) -> list[tuple[str, Expression]]:
    found: list[tuple[str, Expression]] = []
    while isinstance(whole, Binary) and whole.sign in "+-":
        found.append((whole.sign, whole.right))
        whole = whole.left
    return [("", whole), *reversed(found)]


def tree(part: Expression, write: Write, binding: int = 0, *, first: bool = True) -> str:
    """An expression; brackets stand where plain arithmetic has them, bar fractions and powers."""
    match part:
        case Number(value, of):
            text = write(value)
            ref = plain_symbol(of) if of is not None else ""
            bare = not text.startswith("-") or (first and binding <= LEVEL["*"])
            bare = bare and not ("e" in text and binding > LEVEL["*"])
            return number(text, ref) if bare else _bracket(number(text, ref))
        case Name(text):
            return name(text)
        case Named(of):
            return symbol(of) if binding < BASE else _bracket(symbol(of))
        case Negative(of):
            made = element("mrow", operator("-"), tree(of, write, LEVEL["*"], first=False))
            return made if first and binding <= LEVEL["*"] else _bracket(made)
        case Call(function, of):
            made = _call(function, of, write)
            return made if function != "exp" or binding < BASE else _bracket(made)
        case Binary():
            return _binary(part, write, binding, first)
    raise TypeError(part)


def _bracket(inside: str) -> str:
    return element("mrow", operator("("), inside, operator(")"))


def _call(function: str, of: Expression, write: Write) -> str:
    inside = tree(of, write)
    if function == "exp":
        return element("msup", element("mi", "e"), inside)
    if function == "abs":
        return element("mrow", operator("|", "prefix"), inside, operator("|", "postfix"))
    if function == "sum":
        return element("mrow", element("munder", operator("∑"), element("mi", "k")), inside)
    head = element("mi", FUNCTIONS[function]) if function in FUNCTIONS else name(function)
    return element("mrow", head, _bracket(inside))


def _binary(part: Binary, write: Write, binding: int, first: bool) -> str:
    sign, left, right = part.sign, part.left, part.right
    if sign == "/":
        made = element("mfrac", tree(left, write), tree(right, write))
        return made if binding < BASE else _bracket(made)
    if sign == "**" and right == Number(0.5):
        return element("msqrt", tree(left, write))
    if sign == "**":
        made = element("msup", tree(left, write, BASE, first=False), tree(right, write))
        return made if binding < BASE else _bracket(made)
    if sign == "else":
        return _cases(part, write)
    level = LEVEL[sign]
    lead = tree(left, write, level, first=first)
    tail = tree(right, write, level + (sign == "-"), first=False)
    mark = "" if sign == "@" or left == Name("Σ") else operator(sign, "infix")
    made = element("mrow", lead, mark, tail)
    return made if level >= binding else _bracket(made)


def _cases(part: Expression, write: Write) -> str:
    rows = []
    while isinstance(part, Binary) and part.sign == "else":
        case, part = part.left, part.right
        assert isinstance(case, Binary)
        value, when = tree(case.left, write), tree(case.right, write)
        rows.append(element("mtr", element("mtd", value), element("mtd", when)))
    rows.append(element("mtr", element("mtd", tree(part, write)), element("mtd")))
    table = element("mtable", *rows, class_="cases")
    return element("mrow", operator("{", "prefix"), table)


def matrix(block: Matrix, label: str) -> str:
    """The numbers given, in brackets, each with its element's name."""
    given = block.symbol
    column = given.head != "W"

    def ref(i: int, j: int) -> str:
        index = (*given.index, i) if column else (*given.index, i, j)
        return plain_symbol(Symbol(given.head, given.layer, index))

    rows = [
        element("mtr", *(element("mtd", number(v, ref(i, j))) for j, v in enumerate(row)))
        for i, row in enumerate(block.rows)
    ]
    table = element("mrow", operator("["), element("mtable", *rows, class_="matrix"), operator("]"))
    return math(element("mrow", symbol(given), operator("="), table), label)


def formula(notation: str, label: str) -> str:
    """A formula in symbols, from the notation of the records."""
    return math(_formulas(formulas(notation)), label, display=True)


def _formulas(found: Formulas) -> str:
    gap = operator(",") + element("mspace", width="1.5em")
    return element("mrow", gap.join(map(_assignment, found)))


def _assignment(part: Assignment) -> str:
    def write(value: float) -> str:
        return f"{value:g}"

    left = tree(part.left, write)
    return element("mrow", left, operator("="), tree(part.right, write))
