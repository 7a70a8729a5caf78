"""Calculations, matrices and formulas as presentation MathML (MathML Core).

A number that is the value of a quantity carries that quantity's plain name in `data-ref`; the
factors of one term of a sum stand together in a `term`. The digits are those of every format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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

ROOM = 26  # characters of a piece of a calculation: what a phone has room for
BASE = 5  # binds as the base of a power does
COMPARED = (">", ">=", "<", "<=", "==", "!=")
LEVEL = {**BINDING, "@": 2, "⊙": 2, ",": 0, **dict.fromkeys(COMPARED, 0)}
FUNCTIONS = {"log": "ln", "normal_cdf": "Φ", "max": "max", "maximum": "max"}


def calculation(item: Calculation, label: str) -> str:
    """symbol = expression = result, in pieces between which a line may break."""
    closed = item.closed
    head = symbol(item.symbol) + operator("=", "infix")
    result = element("mrow", number(closed.result), class_="result")
    if plain(closed.tree, closed.write) == closed.result:
        return _flow([head + result], label)
    first, *rest = _sum(closed)
    last = operator(closed.relation, "infix") + result
    return _flow([head + first, *rest, last], label)


def _flow(pieces: Iterable[str], label: str) -> str:
    """No browser breaks a line within a <math>: each piece is one, and all are read as one."""
    made = (
        element("math", element("mrow", piece), aria_hidden="true", displaystyle="true")
        for piece in pieces
    )
    return element("span", " ".join(made), class_="flow", role="img", aria_label=label)


def blank(item: Blank, label: str) -> str:
    """symbol = expression =, up to where the result is to be written."""
    parts = [symbol(item.symbol), operator("=")]
    if item.tree is not None:
        parts += [tree(item.tree, item.write), operator("=", "infix")]
    return math(element("mrow", *parts), label)


def _sum(closed: Closed) -> Iterator[str]:
    """A piece a term of the sum; one that is long goes on in further pieces."""
    for sign, term in _terms(closed.tree):
        made = _pieces(term, closed.write, LEVEL["+"] + (sign == "-"), first=not sign)
        if len(made) == 1 and len(list(quantities(term))) > 1 and term is not closed.tree:
            made = [element("mrow", made[0], class_="term")]
        made[0] = (operator(sign, "infix") if sign else "") + made[0]
        yield from made


def _pieces(part: Expression, write: Write, binding: int, *, first: bool) -> list[str]:
    """What is too wide for one piece is broken before an operator, innermost last."""
    if _size(part, write) <= ROOM:
        return [tree(part, write, binding, first=first)]
    match part:
        case Negative(of):
            made = _pieces(of, write, LEVEL["*"], first=False)
            made[0] = operator("-", "prefix") + made[0]
            bare = first and binding <= LEVEL["*"]
        case Binary("+" | "-" | "*" | "/" as sign, left, right):
            level = LEVEL[sign]
            made = _pieces(left, write, level, first=first)
            tail = _pieces(right, write, level + (sign in "-/"), first=False)
            made += [operator(sign, "infix") + tail[0], *tail[1:]]
            bare = level >= binding
        case _:
            return [tree(part, write, binding, first=first)]
    if not bare:
        made[0] = operator("(", "prefix") + made[0]
        made[-1] += operator(")", "postfix")
    return made


def _size(part: Expression, write: Write) -> int:
    """About how many characters wide an expression is set."""
    match part:
        case Number(value):
            return len(write(value))
        case Negative(of) | Call(_, of):
            return 1 + _size(of, write)
        case Binary("/", left, right):
            return max(_size(left, write), _size(right, write))
        case Binary("**", left, _):
            return 1 + _size(left, write)
        case Binary(_, left, right):
            return 1 + _size(left, write) + _size(right, write)
    return len(plain(part, write))


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
