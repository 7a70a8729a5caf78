"""What the records of reductions, products by labels and writes at places tell, against numbers
worked out by hand, by mpmath and by loops; every operation is held against autograd in
test_modules."""

import itertools
import warnings

import mpmath
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from miya.core.calls import Worked
from miya.core.contributions import contributions
from miya.core.records import RECORDS
from miya.core.records.formula import evaluate
from miya.read.torch.step import model_step

NAN, INF = float("nan"), float("inf")
ROWS = [[1.0, 2.0, 4.0], [0.5, -3.0, 2.0]]


class Of(nn.Module):
    """C = Σ c · f(given), c = 1, 2, 3, … so that no two slopes are alike."""

    def __init__(self, function, *given):
        super().__init__()
        self.given = nn.ParameterList(
            nn.Parameter(torch.tensor(g, dtype=torch.float64)) for g in given
        )
        self.function = function

    def forward(self):
        y = self.function(*self.given)
        return (y * torch.arange(1.0, 1 + y.numel(), dtype=y.dtype).view(y.shape)).sum()


def step(function, *given):
    """The step's trace, the operands, and the last call that makes the function's result."""
    model = Of(function, *given)
    trace = model_step(model, (), optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    operands = [trace.values[f"given.{k}"] for k in range(len(given))]
    made = next(c for c in reversed(trace.calls) if c.name == "mul").operands["input"]
    return trace, operands, made.call


def slopes(function, *given, of=0):
    """By the terms told: ∂C/∂ of every element of an operand."""
    _, operands, _ = step(function, *given)
    x = operands[of]
    found = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        parts = contributions(x, index)
        assert all(part.terms is not None for part in parts), parts
        found[index] = sum(part.total for part in parts)
    return found


def told(function, *given, index=(), slot=0):
    """What one element of the result is said to be made of."""
    _, _, call = step(function, *given)
    return RECORDS[call.name].forward(call, slot, index)


def number(found):
    if isinstance(found, Worked):
        return float(evaluate(found.formula, {k: n for k, (_, _, n) in found.names.items()}))
    return sum(t.total for t in found)


TIES = [[3.0, 3.0, 1.0], [3.0, 0.0, 3.0]]
BY_HAND = {
    "sum": (lambda x: x.sum(1), ROWS, [[1, 1, 1], [2, 2, 2]]),
    "sum of both": (lambda x: x.sum((0, 1)), ROWS, [[1, 1, 1], [1, 1, 1]]),
    "sum of axis": (lambda x: torch.sum(x, axis=0), ROWS, [[1, 2, 3], [1, 2, 3]]),
    "mean": (lambda x: x.mean(0, True), ROWS, [[0.5, 1, 1.5], [0.5, 1, 1.5]]),
    "prod": (lambda x: x.prod(1), ROWS, [[8, 4, 2], [-12, 2, -3]]),
    "prod of one zero": (lambda x: x.prod(1), [[0.0, 2, 3]], [[6, 0, 0]]),
    "prod of two zeros": (lambda x: x.prod(1), [[0.0, 0, 3]], [[0, 0, 0]]),
    "cumprod of a zero": (lambda x: x.cumprod(0), [2.0, 0, 5], [1, 2 * 2 + 3 * 2 * 5, 0]),
    "cumsum": (lambda x: x.cumsum(0), [2.0, 0, 5], [6, 5, 3]),
    "amax shares": (lambda x: x.amax(1), TIES, [[0.5, 0.5, 0], [1, 0, 1]]),
    "amin shares": (lambda x: x.amin((0, 1)), [[1.0, 2], [1.0, 1]], [[1 / 3, 0], [1 / 3, 1 / 3]]),
    "max shares": (lambda x: x.max(), TIES, [[0.25, 0.25, 0], [0.25, 0, 0.25]]),
    "max takes the first": (lambda x: x.max(1)[0], TIES, [[1, 0, 0], [2, 0, 0]]),
    "median of all": (lambda x: x.median(), [3.0, 1, 2], [0, 0, 1]),
    "median of rows": (lambda x: x.median(1)[0], ROWS, [[0, 1, 0], [2, 0, 0]]),
    "sort": (lambda x: x.sort(descending=True)[0], [1.0, 4, 3], [3, 1, 2]),
    "topk": (lambda x: x.topk(2, largest=False)[0], [1.0, 4, 3], [1, 0, 2]),
    "cummax": (lambda x: x.cummax(0)[0], [1.0, 4, 3], [1, 2 + 3, 0]),
    "var": (lambda x: x.var(), [1.0, 2, 6], [-2, -1, 3]),
    "var of all": (lambda x: x.var(unbiased=False), [1.0, 2, 6], [-4 / 3, -2 / 3, 2]),
    "var by a flag": (lambda x: x.var(False), [1.0, 2, 6], [-4 / 3, -2 / 3, 2]),
    "var with a correction": (lambda x: x.var(correction=2), [1.0, 2, 6], [-4, -2, 6]),
    "std": (lambda x: x.std(), [0.0, 3, 6], [-0.5, 0, 0.5]),
    "std of equals": (lambda x: x.std(1), [[2.0, 2], [0, 0]], [[0, 0], [0, 0]]),
    "norm": (lambda x: x.norm(), [3.0, -4], [0.6, -0.8]),
    "norm of nothing": (lambda x: x.norm(dim=1), [[0.0, 0], [0, 2]], [[0, 0], [0, 2]]),
    "norm 1 of nothing": (lambda x: x.norm(1, 1), [[0.0, 0], [-3, 2]], [[0, 0], [-2, 2]]),
    "norm of order 1/2": (lambda x: x.norm(0.5), [4.0, 1], [1.5, 3]),
    "norm of order ∞": (lambda x: torch.linalg.vector_norm(x, INF), [-5.0, 5, 1], [-0.5, 0.5, 0]),
    "norm of order −∞": (lambda x: torch.linalg.norm(x, -INF), [-5.0, 5, 1], [0, 0, 1]),
    "trace": (lambda x: x.trace(), [[1.0, 2], [3, 4]], [[1, 0], [0, 1]]),
    "maximum by max": (lambda x: torch.max(x, torch.ones(3)), [0.0, 1, 2], [0, 1, 3]),
    "divided and rounded": (
        lambda x: torch.div(x, 2, rounding_mode="floor") + 3 * x,
        [1.0, 5],
        [3, 6],
    ),
    "the other way to the power": (
        lambda x: 2**x,
        [0.0, 3],
        [np.log(2), 2 * 8 * np.log(2)],
    ),
    "divided by it": (lambda x: 6 / x, [1.0, 2], [-6, -3]),
    "where, a method": (lambda x: x.where(x > 1, 0.0), [1.0, 2], [0, 2]),
    "einsum along the diagonal": (
        lambda x: torch.einsum("ii->i", x),
        [[1.0, 2], [3, 4]],
        [[1, 0], [0, 2]],
    ),
    "scattered twice": (
        lambda x: torch.zeros(2, dtype=x.dtype).scatter_add(0, torch.tensor([1, 1, 0]), x),
        [5.0, 6, 7],
        [2, 2, 1],
    ),
    "written over": (
        lambda x: x.scatter(0, torch.tensor([1]), torch.tensor([9.0], dtype=x.dtype)),
        [5.0, 6, 7],
        [1, 0, 3],
    ),
    "added by index": (
        lambda x: torch.zeros(2, dtype=x.dtype).index_add(0, torch.tensor([1, 1]), x, alpha=3),
        [5.0, 6],
        [6, 6],
    ),
    "put and added": (
        lambda x: torch.ones(3, dtype=x.dtype).index_put((torch.tensor([2, 2]),), x, True),
        [5.0, 6],
        [3, 3],
    ),
    "put by a mask": (
        lambda x: torch.ones(3, dtype=x.dtype).index_put((torch.tensor([True, False, True]),), x),
        [5.0, 6],
        [1, 3],
    ),
    "put, one for all": (
        lambda x: torch.ones(3, dtype=x.dtype).index_put((torch.tensor([0, 2]),), x),
        5.0,
        4,
    ),
    "reduced without what was there": (
        lambda x: x.scatter_reduce(0, torch.tensor([0]), x[:1], "sum", include_self=False),
        [5.0, 6],
        [1, 2],
    ),
    "kron": (lambda x: torch.kron(x, torch.tensor([1.0, 10], dtype=x.dtype)), [1.0, 2], [21, 43]),
    "upsampled": (
        lambda x: F.interpolate(x, size=2, mode="linear", align_corners=False),
        [[[1.0, 2, 3, 4]]],
        [[[0.5, 0.5, 1, 1]]],
    ),
    "differences": (lambda x: x.diff(), [1.0, 4, 9], [-1, -1, 2]),
}


@pytest.mark.filterwarnings("ignore:W310")
@pytest.mark.parametrize("name", BY_HAND)
def test_slopes_worked_out_by_hand(name):
    function, given, expected = BY_HAND[name]
    np.testing.assert_allclose(slopes(function, given), expected, rtol=1e-14, atol=0)


def test_a_nan_is_no_part_of_a_sum_without_nans():
    def function(x):
        return torch.cat([x, torch.tensor([NAN], dtype=x.dtype)]).nansum(0, keepdim=True)

    assert slopes(function, [2.0, 3.0]).tolist() == [1, 1]
    (terms,) = told(function, [2.0, 3.0], index=(0,))
    assert terms.values.tolist() == [2.0, 3.0]


FORWARD = {
    "sum": (lambda x: x.sum(1), (1,), -0.5),
    "mean": (lambda x: x.mean(1), (1,), mpmath.mpf(-0.5) / 3),
    "prod": (lambda x: x.prod(0), (2,), 8),
    "var": (lambda x: x.var(1), (0,), mpmath.mpf(7) / 3),
    "std": (lambda x: x.std(1), (0,), mpmath.sqrt(mpmath.mpf(7) / 3)),
    "logsumexp": (
        lambda x: x.logsumexp(1),
        (0,),
        mpmath.log(mpmath.e + mpmath.e**2 + mpmath.e**4),
    ),
    "logcumsumexp": (lambda x: x.logcumsumexp(1), (0, 1), mpmath.log(mpmath.e + mpmath.e**2)),
    "norm of order 3": (lambda x: x.norm(3, 1), (0,), mpmath.cbrt(1 + 8 + 64)),
    "norm of order 1": (lambda x: x.norm(1, 1), (1,), 5.5),
    "amax": (lambda x: x.amax(1), (0,), 4),
    "cumprod": (lambda x: x.cumprod(1), (1, 2), -3),
    "cdist": (lambda x: torch.cdist(x, x.flip(0)), (0, 0), mpmath.sqrt(0.25 + 25 + 4)),
    "trace": (lambda x: x.trace(), (), -2),
}


@pytest.mark.parametrize("name", FORWARD)
def test_what_a_number_is_made_of(name):
    function, index, expected = FORWARD[name]
    found = told(function, ROWS, index=index)
    assert number(found) == pytest.approx(float(expected), rel=1e-15)


def test_the_terms_of_a_sum_are_the_elements_themselves():
    (terms,) = told(lambda x: x.sum(0), ROWS, index=(1,))
    (factor,) = terms.factors
    assert factor.index.tolist() == [[0, 1], [1, 1]] and factor.values.tolist() == [2.0, -3.0]


def test_a_large_logsumexp_neither_overflows_nor_vanishes():
    assert number(told(lambda x: x.logsumexp(0), [1000.0, 999.0])) == pytest.approx(
        float(1000 + mpmath.log(1 + mpmath.exp(-1))), rel=1e-15
    )
    np.testing.assert_allclose(
        slopes(lambda x: x.logsumexp(0), [-1000.0, -1001.0]),
        [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))],
        rtol=1e-13,
    )


EQUATIONS = ["ij,jk->ik", "ij,kj", "ij,jk->", "ij,jk->j", "...j,jk->...k", " i j , j k -> k i "]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_the_products_of_an_einsum(equation):
    """Against loops over every label."""
    a, b = [[1.0, 2], [3, 5], [7, 11]], [[13.0, 17], [19, 23]]
    _, operands, call = step(lambda a, b: torch.einsum(equation, a, b), a, b)
    first, second, *out = (
        equation.replace(" ", "").replace("...", "i").replace("->", ",").split(",")
    )
    labels = {**dict(zip(first, (3, 2), strict=True)), **dict(zip(second, (2, 2), strict=True))}
    written = out[0] if "->" in equation else "ik"
    expected = {}
    for places in itertools.product(*(range(n) for n in labels.values())):
        at = dict(zip(labels, places, strict=True))
        pair = tuple(tuple(at[k] for k in side) for side in (first, second))
        expected.setdefault(tuple(at[k] for k in written), set()).add(pair)
    for index, pairs in expected.items():
        (terms,) = RECORDS["einsum"].forward(call, 0, index)
        found = [tuple(tuple(row.tolist()) for row in f.index) for f in terms.factors]
        assert set(zip(*found, strict=True)) == pairs
    c = np.arange(1.0, 1 + call.results[0].size).reshape(call.results[0].shape)
    mine = sum(
        c[index] * second_number(b, pair[1])
        for index, pairs in expected.items()
        for pair in pairs
        if pair[0] == (1, 0)
    )
    assert sum(p.total for p in contributions(operands[0], (1, 0))) == pytest.approx(
        mine, rel=1e-14
    )


def second_number(b, place):
    return b[place[0]][place[1]]


LISTS = {
    "lists": lambda a, b: torch.einsum(a, [0, 1], b, [1, 2], [0, 2]),
    "lists without a result": lambda a, b: torch.einsum(a, [0, 1], b, [1, 2]),
    "a list of operands": lambda a, b: torch.einsum("ij,jk->ik", [a, b]),
    "tensordot": lambda a, b: torch.tensordot(a, b, 1),
    "tensordot of named": lambda a, b: torch.tensordot(a, b, ([1], [0])),
    "multi_dot": lambda a, b: torch.linalg.multi_dot([a, b]),
    "inner": lambda a, b: torch.inner(a, b.T),
    "mm by words": lambda a, b: torch.mm(a, mat2=b),
    "@": lambda a, b: a @ b,
}


@pytest.mark.parametrize("name", LISTS)
def test_other_ways_to_write_a_matrix_product(name):
    a, b = [[1.0, 2], [3, 5]], [[13.0, 17], [19, 23]]
    c = np.array([[1.0, 2], [3, 4]])
    np.testing.assert_allclose(slopes(LISTS[name], a, b), c @ np.array(b).T, rtol=1e-14)
    np.testing.assert_allclose(slopes(LISTS[name], a, b, of=1), np.array(a).T @ c, rtol=1e-14)
    found = told(LISTS[name], a, b, index=(1, 0))
    assert sorted(np.concatenate([t.values for t in found])) == [3 * 13, 5 * 19]


def test_cross_product_of_broadcast_vectors():
    a, b = [[1.0, 2, 3], [5, 7, 11]], [[13.0, 17, 19], [23, 29, 31]]
    c = np.array([[1.0, 2, 3], [4, 5, 6]])
    np.testing.assert_allclose(slopes(torch.linalg.cross, a, b), np.cross(b, c), rtol=1e-14)
    np.testing.assert_allclose(slopes(torch.linalg.cross, a, b, of=1), np.cross(c, a), rtol=1e-14)
    assert number(told(torch.linalg.cross, a, b, index=(1, 2))) == 5 * 29 - 7 * 23


SINGLE = float(np.float32(1 / 6)), float(np.float32(0.6))
FAR_OUT = {
    "hardsigmoid keeps a sixth in single precision": (F.hardsigmoid, [1.0], [SINGLE[0]]),
    "celu keeps alpha in single precision": (
        lambda x: F.celu(x, 0.6),
        [-6.0],
        [0.6 / SINGLE[1] * np.exp(-6 / SINGLE[1])],
    ),
    "mish": (
        F.mish,
        [-25.0],
        [float(mpmath.diff(lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))), -25))],
    ),
    "mish far above": (F.mish, [800.0], [1]),
}


@pytest.mark.parametrize("name", FAR_OUT)
def test_slopes_of_activations_far_out(name):
    function, given, expected = FAR_OUT[name]
    np.testing.assert_allclose(slopes(function, given), expected, rtol=1e-13)


FUNCTIONS = {
    "gelu": F.gelu,
    "prelu at 0": lambda x: F.prelu(x, torch.tensor([0.3], dtype=x.dtype)),
    "celu in place": lambda x: F.celu(x * 1, 0.6, inplace=True),
    "hardsigmoid": F.hardsigmoid,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_slopes_are_torch_s_own_to_the_last_digits(name):
    """Also where torch's own way loses digits: the terms add up to what the step used."""
    given = [-9.0, -8, -7.2, -6.5, -5.5, -2, 0, -0.0, 1e-9, 3, 7]
    x = torch.tensor(given, dtype=torch.float64, requires_grad=True)
    FUNCTIONS[name](x).backward(torch.arange(1.0, 12, dtype=x.dtype))
    np.testing.assert_allclose(slopes(FUNCTIONS[name], given), x.grad.numpy(), rtol=1e-12)


def test_formulas_keep_the_digits_of_small_numbers():
    assert evaluate("log(1 + u)", {"u": 1e-18}) == 1e-18
    assert evaluate("log(1 - u)", {"u": 1e-18}) == -1e-18
    assert evaluate("exp(u) - 1", {"u": 1e-18}) == 1e-18
    assert evaluate("single(u)", {"u": 0.1}) == float(np.float32(0.1))
    assert evaluate("a > 0 and b > 0", {"a": 1, "b": np.array([1.0, -1])}).tolist() == [True, False]


def test_a_norm_that_is_no_sum_of_elements_is_told_as_a_whole():
    _, (x,), call = step(lambda x: torch.linalg.norm(x, 2), ROWS)
    (part,) = contributions(x, (0, 0))
    assert part.terms is None and part.total == pytest.approx(float(x.gradient[0, 0]), rel=1e-12)
    assert RECORDS[call.name].forward(call, 0, ()) is None


def test_a_convolution_padded_to_the_same_size_by_an_even_kernel():
    torch.manual_seed(0)
    conv = nn.Conv1d(1, 1, 4, padding="same").double()
    x = torch.randn(1, 1, 5).double()
    with warnings.catch_warnings():
        # torch says once a process that such a kernel pads unevenly
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")
        trace = model_step(
            conv, x, loss=lambda y: (y**2).sum(), optimizer=torch.optim.SGD(conv.parameters(), 0.1)
        )
    y, padded = trace.outputs[0], np.pad(x.numpy()[0, 0], (1, 2))
    for k in range(4):  # one before, two behind
        mine = float(y.gradient[0, 0] @ padded[k : k + 5])
        parts = contributions(trace.parameters["weight"].value, (0, 0, k))
        assert sum(p.total for p in parts) == pytest.approx(mine, rel=1e-13)
