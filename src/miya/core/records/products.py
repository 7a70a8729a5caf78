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
    """`other` is the right one, but for the operator of a right operand."""
    first, second = ("input", "other") if call.name == "matmul" else ("other", "input")
    left, right = (len(call.operands[role].shape) for role in (first, second))
    lead = batch(max(left, right, 2) - 2)

    def before(rank: int) -> Labels:
        return lead[len(lead) - max(rank - 2, 0) :]

    a = (*before(left), *(("i", "j") if left > 1 else ("j",)))
    b = (*before(right), *(("j", "k") if right > 1 else ("j",)))
    out = (*lead, *(("i",) if left > 1 else ()), *(("k",) if right > 1 else ()))
    return Contraction({first: a, second: b}, out)


SECOND = ("other", "mat2", "vec", "vec2", "tensor")  # words for the second operand


def _fixed(equation: str, first: str, second: str) -> Shape:
    """Of two operands with these names, by an equation of one letter a dimension."""
    given, out = equation.split("->")
    a, b = given.split(",")

    def of(call: Call) -> Contraction:
        alpha = float(call.option("alpha", 1))
        right = _right(call) if second == "other" else second
        return Contraction({first: lettered(a), right: lettered(b)}, lettered(out), ("α", alpha))

    return of


def _right(call: Call) -> str:
    return next(word for word in SECOND if word in call.operands)


def _inner(call: Call) -> Contraction:
    """Over the last dimension of both."""
    left, right = (len(call.operands[role].shape) for role in ("input", _right(call)))
    shared = ("j",) if left and right else ()  # a number multiplies every element
    own = [
        tuple(f"{side}{k}" for k in range(n - len(shared)))
        for side, n in (("a", left), ("b", right))
    ]
    operands = {"input": (*own[0], *shared), _right(call): (*own[1], *shared)}
    return Contraction(operands, (*own[0], *own[1]))


def _tensordot(call: Call) -> Contraction | None:
    """Over as many dimensions as `dims` says, or over those that it lists."""
    dims = call.option("dims", 2)
    left, right = (len(call.operands[role].shape) for role in ("input", "other"))
    if isinstance(dims, int):
        dims = (range(left - dims, left), range(dims))
    if not isinstance(dims, tuple):
        return None
    mine, other = ([int(d) % n for d in side] for side, n in zip(dims, (left, right), strict=True))
    a = [f"a{k}" for k in range(left)]
    b = [f"b{k}" for k in range(right)]
    for i, j in zip(mine, other, strict=True):
        b[j] = a[i]
    out = [k for k in a if k not in b] + [k for k in b if k not in a]
    return Contraction({"input": tuple(a), "other": tuple(b)}, tuple(out))


def _chain(call: Call) -> Contraction:
    """A product of many matrices, the first and the last of them perhaps vectors."""
    roles = list(call.operands)
    labels = [(f"i{k}", f"i{k + 1}") for k in range(len(roles))]
    operands: dict[str, Labels] = dict(zip(roles, labels, strict=True))
    ends: list[str] = []
    for k, side in ((0, 0), (len(roles) - 1, 1)):
        if len(call.operands[roles[k]].shape) == 1:
            operands[roles[k]] = (labels[k][1 - side],)
        else:
            ends.append(labels[k][side])
    return Contraction(operands, tuple(ends))


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


def product(
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
product("matmul", _matmul, MATRICES, TWO, PAIR)
product("rmatmul", _matmul, "Y[i, k] = Σ_j B[i, j] A[j, k]", TWO, PAIR)

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
    product(
        _name,
        _fixed(_equation, _first, _second),
        f"Y = α A B + β input, {_equation}" if _added else f"Y = A B, {_equation}",
        {
            **({"input": "∂C/∂input = β δ"} if _added else {}),
            _first: "∂C/∂A = α Σ δ B",
            _second: "∂C/∂B = α Σ δ A",
        },
        f"{_first} {' '.join(SECOND)} {_second} input alpha beta",
        *SAME.get(_name, ()),
    )
EITHER = {"input": "∂C/∂A = Σ δ B", "other": "∂C/∂B = Σ δ A"}
product("inner", _inner, "Y[i, k] = Σ_j A[i, j] B[k, j]", EITHER, f"input {' '.join(SECOND)}")
product(
    "tensordot",
    _tensordot,
    "Y[a, b] = Σ_c A[a, c] B[c, b]",
    EITHER,
    "input other dims",
)
product(
    "linalg_multi_dot",
    _chain,
    "Y = A B C …",
    {"tensors": "∂C/∂A = Σ δ B C …"},
    "tensors",
)
product("chain_matmul", _chain, "Y = A B C …", {"input": "∂C/∂A = Σ δ B C …"}, "*")
