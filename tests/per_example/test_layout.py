"""Where the examples lie is followed as pushing every example's number through the same moves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miya.per_example.layout import Layout, Lost, by_example, follow

BATCH = 3


def owners(shape, where):
    """Which example each entry belongs to, by the definition."""
    along = (torch.arange(shape[where.axis]) // where.inner) % BATCH
    wide = [1] * len(shape)
    wide[where.axis] = shape[where.axis]
    return along.reshape(wide).expand(shape).contiguous()


@st.composite
def moves(draw):
    """A move with its arguments by name, for a tensor of this shape."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape)))
    inner, outer = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    shape.insert(axis, outer * BATCH * inner)
    rank = len(shape)
    a, b = draw(st.integers(0, rank - 1)), draw(st.integers(0, rank - 1))
    order = draw(st.permutations(range(rank)))
    name, options = draw(
        st.sampled_from(
            [
                ("transpose", {"dim0": a, "dim1": b}),
                ("permute", {"dims": tuple(order)}),
                ("flatten", {"start_dim": min(a, b), "end_dim": max(a, b)}),
                ("unsqueeze", {"dim": a}),
                ("squeeze", {}),
                ("movedim", {"source": a, "destination": b}),
                ("select", {"dim": a, "index": 0}),
                ("narrow", {"dim": a, "start": 0, "length": 1}),
                ("__getitem__", {"index": (slice(None),) * a + (0,)}),
                ("__getitem__", {"index": (Ellipsis, None, slice(0, 1))}),
                ("repeat_interleave", {"repeats": 2, "dim": a}),
                ("flip", {"dims": (a,)}),
            ]
        )
    )
    return shape, Layout(axis, inner), name, options


@settings(max_examples=400, deadline=None)
@given(moves())
def test_a_move_is_followed_or_said_to_be_lost(move):
    shape, where, name, options = move
    x = owners(shape, where)
    made = getattr(x, name)(*options.values())
    found = follow(name, {"input": x, **options}, [(x, where)], made, BATCH)
    if isinstance(found, Layout):
        assert torch.equal(owners(made.shape, found), made)
    else:
        whole = made.numel() == x.numel()
        touched = name in ("select", "narrow", "__getitem__", "flip")
        assert touched or (name in ("flatten", "squeeze") and whole)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2), st.integers(1, 3), st.integers(1, 2), st.integers(0, 1))
def test_entries_are_gathered_by_example(axis, inner, outer, last):
    shape = [4, 5]
    shape.insert(axis, outer * BATCH * inner)
    if axis >= len(shape) - last:
        return
    where = Layout(axis, inner)
    found = by_example(owners(shape, where), where, BATCH, last)
    assert found.shape[0] == BATCH and found.shape[2:] == torch.Size(shape[3 - last :])
    for k in range(BATCH):
        assert (found[k] == k).all()


X = torch.zeros(3, 4, 5)


@pytest.mark.parametrize(
    ("name", "options", "made", "right"),
    [
        ("sum", {"dim": 1}, X.sum(1), Layout(0)),
        ("mean", {"dim": (1, 2)}, X.mean((1, 2)), Layout(0)),
        ("mean", {"dim": 0}, X.mean(0), Lost("mixes the examples (mean over them)")),
        ("sum", {}, X.sum(), Lost("mixes the examples (sum over them)")),
        ("softmax", {"dim": 0}, X, Lost("mixes the examples (softmax over them)")),
        ("softmax", {"dim": -1}, X, Layout(0)),
        ("relu", {}, X, Layout(0)),
        ("view", {"size": (12, 5)}, X.view(12, 5), Layout(0, 4)),
        ("view", {"size": (60,)}, X.view(60), Layout(0, 20)),
        ("one_hot", {"num_classes": 2}, torch.zeros(3, 4, 5, 2), Layout(0)),
        ("nonzero", {}, torch.zeros(7, 3), Lost("gives (7, 3) of (3, 4, 5) (nonzero)")),
        (
            "__getitem__",
            {"index": torch.tensor([0, 1])},
            X[:2],
            Lost("picks examples by a tensor"),
        ),
    ],
)
def test_one_operand(name, options, made, right):
    assert follow(name, {"input": X, **options}, [(X, Layout(0))], made, BATCH) == right


@pytest.mark.parametrize(
    ("name", "a", "b", "right"),
    [
        ("matmul", (3, 4, 5), (5, 6), Layout(0)),
        ("matmul", (4, 3), (3, 6), Lost("sums over the examples (matmul)")),
        ("matmul", (2, 3), (3,), Lost("sums over the examples (matmul)")),
        ("bmm", (3, 4, 5), (3, 5, 2), Layout(0)),
        ("add", (3, 4), (2, 3, 4), Layout(1)),
    ],
)
def test_products_with_what_has_no_examples(name, a, b, right):
    one, other = torch.zeros(a), torch.zeros(b)
    axis = a.index(BATCH)
    made = torch.matmul(one, other) if name != "add" else one + other
    known = {"input": one, "other": other}
    assert follow(name, known, [(one, Layout(axis))], made, BATCH) == right


def test_operands_must_lie_alike():
    one, other = torch.zeros(3, 3), torch.zeros(3, 3)
    lies = [(one, Layout(0)), (other, Layout(1))]
    found = follow("add", {"input": one, "other": other}, lies, one + other, BATCH)
    assert found == Lost("joins operands whose examples lie differently (add)")


def test_a_batch_split_over_two_dimensions_is_lost():
    x = torch.zeros(6, 4)
    found = follow("view", {"input": x}, [(x, Layout(0))], x.view(2, 3, 4), 6)
    assert found == Lost("splits the examples over the dimensions of (2, 3, 4)")
