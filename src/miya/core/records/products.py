"""Matrix products, by the labels of their dimensions; and sums of one with something added."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..calls import Call, Terms, element, local
from ..graph import Index
from .contraction import Contraction, Labels, batch, contracted, contracted_back, lettered
from .grid import broadcast_rows, readers
from .record import Record, back, record

Shape = Callable[[Call], Contraction | None]


def _matmul(call: Call) -> Contraction:
    left, right = (len(call.operands[role].shape) for role in ("input", "other"))
    lead = batch(max(left, right, 2) - 2)

    def before(rank: int) -> Labels:
        return lead[len(lead) - max(rank - 2, 0) :]

    a = (*before(left), *(("i", "j") if left > 1 else ("j",)))
    b = (*before(right), *(("j", "k") if right > 1 else ("j",)))
    out = (*lead, *(("i",) if left > 1 else ()), *(("k",) if right > 1 else ()))
    return Contraction({"input": a, "other": b}, out)


def _fixed(equation: str, first: str, second: str) -> Shape:
    """Of two operands with these names, by an equation of one letter a dimension."""
    given, out = equation.split("->")
    a, b = given.split(",")

    def of(call: Call) -> Contraction:
        alpha = float(call.option("alpha", 1))
        return Contraction({first: lettered(a), second: lettered(b)}, lettered(out), ("α", alpha))

    return of


def einsum_of(call: Call) -> Contraction | None:
    """The labels that an equation of torch.einsum gives to each operand."""
    equation = call.option("equation", "")
    if not isinstance(equation, str):
        return None
    given, arrow, out = equation.replace(" ", "").partition("->")
    roles, texts = list(call.operands), given.split(",")
    if len(roles) != len(texts):
        return None
    operands = {
        role: _labels(text, len(call.operands[role].shape))
        for role, text in zip(roles, texts, strict=True)
    }
    if not arrow:
        letters = given.replace(",", "").replace(".", "")
        out = "..." * ("..." in given) + "".join(
            sorted(k for k in set(letters) if letters.count(k) == 1)
        )
    return Contraction(operands, _labels(out, len(call.results[0].shape)))


def _labels(text: str, rank: int) -> Labels:
    head, dots, tail = text.partition("...")
    hidden = batch(rank - len(head) - len(tail)) if dots else ()
    return (*head, *hidden, *tail)


def _backward(of: Shape) -> Callable[[Call, str, Index], list[Terms] | None]:
    def backward(call: Call, role: str, index: Index) -> list[Terms] | None:
        c = of(call)
        if c is None:
            return None
        if role in c.operands:
            return contracted_back(c, call, role, index)
        at = readers(call.operands[role].shape, index, call.results[0].shape)
        return [back(call, at, local(np.full(len(at), float(call.option("beta", 1))), "β"))]

    return backward


def _forward(of: Shape) -> Callable[[Call, int, Index], list[Terms] | None]:
    def forward(call: Call, slot: int, index: Index) -> list[Terms] | None:
        c = of(call)
        if c is None:
            return None
        sums = [contracted(c, call, index)]
        added = call.operands.get("input")
        if added is not None and "input" not in c.operands:
            at = broadcast_rows(np.asarray([index]).reshape(1, len(index)), added.shape)
            beta = local(np.full(1, float(call.option("beta", 1))), "β")
            sums.append(Terms((beta, element(added, at))))
        return sums

    return forward


def _product(
    name: str, shape: Shape, formula: str, gradients: dict[str, str], options: str, *names: str
) -> None:
    known = frozenset(options.split())
    record(
        Record(name, formula, gradients, f"torch.{name}", _backward(shape), _forward(shape), known),
        *names,
    )


TWO = {
    "input": "∂C/∂A[i, j] = Σ_k δ[i, k] B[j, k]",
    "other": "∂C/∂B[j, k] = Σ_i δ[i, k] A[i, j]",
}
MATRICES = "Y[i, k] = Σ_j A[i, j] B[j, k]"
PAIR = "input other"
_product("matmul", _matmul, MATRICES, TWO, PAIR)

# name, the labels, the names of the two operands, whether something is added to the product
TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("mm", "ij,jk->ik", "input", "other"),
    ("bmm", "nij,njk->nik", "input", "other"),
    ("mv", "ij,j->i", "input", "other"),
    ("dot", "j,j->", "input", "other"),
    ("outer", "i,k->ik", "input", "other"),
    ("addmm", "ij,jk->ik", "mat1", "mat2"),
    ("baddbmm", "nij,njk->nik", "batch1", "batch2"),
    ("addbmm", "nij,njk->ik", "batch1", "batch2"),
    ("addmv", "ij,j->i", "mat", "vec"),
    ("addr", "i,k->ik", "vec1", "vec2"),
)
SAME = {"dot": ("vdot",), "outer": ("ger",)}
for _name, _equation, _first, _second in TABLE:
    _added = _first != "input"
    _product(
        _name,
        _fixed(_equation, _first, _second),
        f"Y = α A B + β input, {_equation}" if _added else f"Y = A B, {_equation}",
        {
            **({"input": "∂C/∂input = β δ"} if _added else {}),
            _first: "∂C/∂A = α Σ δ B",
            _second: "∂C/∂B = α Σ δ A",
        },
        f"{_first} {_second} input alpha beta",
        *SAME.get(_name, ()),
    )

_product(
    "einsum",
    einsum_of,
    "Y = Σ of products over the labels that the result lacks",
    {"operands": "∂C/∂A[…] = Σ δ · the other operands, over the labels that A lacks"},
    "equation operands " + " ".join(f"operand{k}" for k in range(1, 9)),
)
