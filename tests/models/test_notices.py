"""What a model's step warns of, and inputs that are no tensors or hold nothing."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import miya
from miya.errors import MiyaInputError, MiyaWarning


def warned(make):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        told = make()
    return told, [str(w.message) for w in found if issubclass(w.category, MiyaWarning)]


class Cut(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d, self.e = (nn.Linear(3, 3) for _ in range(5))

    def forward(self, x):
        h = self.a(x).detach()
        with torch.no_grad():
            k = self.b(x)
        self.d(x)
        return self.c(h + k + x)


def test_a_name_is_suggested_once():
    told, _ = warned(
        lambda: miya.explain(
            nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)),
            torch.ones(2, 3),
            torch.tensor([0, 1]),
            loss="cross_entropy",
        )
    )
    with pytest.raises(MiyaInputError) as raised:
        told.why("0.wieght[1,1]")
    assert str(raised.value).count("0.weight") == 1


def test_why_a_parameter_has_no_gradient_is_said():
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    told, said = warned(lambda: miya.explain(Cut(), x, y, loss="cross_entropy", optimizer="sgd"))
    end = ": the gradient is None, which is not 0, and the optimizer leaves them alone"
    cut = "and no gradient comes back to it, which is cut off at"
    assert said == [
        f"W403 the loss reads a.weight, a.bias, {cut} detach{end}",
        f"W403 the loss reads b.weight, b.bias, {cut} linear under no_grad in b{end}",
        f"W403 the loss does not use d.weight, d.bias, though the forward pass reads it{end}",
        f"W403 the loss does not use e.weight, e.bias{end}",
    ]
    text = " ".join(told.text().split())
    assert "the loss reads a.weight, a.bias, b.weight, b.bias, where autograd does not" in text
    assert "since the loss does not depend on it: d.weight, d.bias, e.weight, e.bias." in text
    kinds = {p["name"]: p["without_gradient"] for p in told.data()["parameters"]}
    assert kinds == {
        f"{m}.{p}": kind
        for m, kind in zip("abcde", ["stopped"] * 2 + [None] + ["unused"] * 2, strict=True)
        for p in ("weight", "bias")
    }
    assert told.trace.parameters["a.weight"].gradient is None
    assert told.trace.parameters["c.weight"].gradient is not None


class Corner(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.w, self.b = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.ones(2))
        self.function = function

    def forward(self, x):
        return (self.function(self.w) + self.b) * x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda w: w.norm(dim=1), "norm is 0 at [0] (so are 1 more)"),
        (lambda w: torch.linalg.vector_norm(w[:1]).reshape(1), "vector_norm is 0"),
        (lambda w: w.abs().sum(1), "abs is of 0 at [0,0] (so are 5 more)"),
        (lambda w: (w + 1).norm(dim=1), None),
        (lambda w: (w - 1).abs().sum(1), None),
    ],
)
def test_a_corner_is_said(function, message):
    x, y = torch.ones(2), torch.tensor([5.0, 3.0])
    model = Corner(function)
    told, said = warned(lambda: miya.explain(model, x, y, loss=nn.MSELoss(), optimizer="sgd"))
    tail = ": it has a corner there, and its slope there is taken as 0, as torch does"
    assert said == ([] if message is None else [f"W310 {message}{tail}"])
    if message is not None:
        assert not told.trace.gradients["w"].any()


def test_an_output_at_its_target_is_said_once():
    model = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.eye(2))
    x = torch.tensor([[1.0, 2.0]]).double()
    _, said = warned(
        lambda: miya.explain(model, x, x + torch.tensor([0, 1]), loss=nn.L1Loss(), optimizer="sgd")
    )
    assert len([s for s in said if s.startswith("W310")]) == 1
    assert "exactly at its target at [0,0]: it has a corner" in said[0]


ARRAYS = [
    (np.float32, np.int64, nn.CrossEntropyLoss(), []),
    (np.float64, np.int32, nn.CrossEntropyLoss(), ["input", "target"]),
    (np.float16, np.int64, nn.CrossEntropyLoss(), ["input"]),
]


@pytest.mark.parametrize(("kind", "classes", "loss", "changed"), ARRAYS)
def test_numpy_arrays_are_taken(kind, classes, loss, changed):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 2))
    x, y = np.arange(12).reshape(4, 3).astype(kind), np.array([0, 1, 0, 1], classes)
    kept = x.copy(), y.copy()
    told, said = warned(lambda: miya.explain(model, x, y, loss=loss, optimizer="sgd"))
    ours = loss(model(torch.from_numpy(x.astype(np.float32))), torch.from_numpy(y).long())
    assert told.trace.loss == ours.item()
    assert [re.match(r"W426 the (\w+) is a NumPy array", s)[1] for s in said] == changed
    assert (x == kept[0]).all() and (y == kept[1]).all()


def test_whole_numbers_are_a_numeric_target_where_the_loss_compares():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)).double()
    told, said = warned(
        lambda: miya.explain(
            model, {"input": np.ones((3, 2))}, np.ones((3, 2), int), loss=nn.MSELoss()
        )
    )
    assert said == ["W426 the target is a NumPy array of int64: it is taken as float64"]
    assert told.trace.targets[0].dtype == "float64"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (torch.ones(0, 3), r"E420 the batch is empty: input is of shape \(0, 3\), which holds no"),
        (np.ones((0, 3), np.float32), r"E420 the batch is empty: input is of shape \(0, 3\)"),
        (np.array([["a", "b", "c"]]), "E206 the input holds <U1. Give numbers"),
        (np.ones((2, 3), complex), "E208 the input is complex. Give real numbers"),
    ],
)
def test_what_cannot_be_taken_is_said(inputs, message):
    y = torch.zeros(len(inputs), dtype=torch.long)
    with pytest.raises(MiyaInputError, match=message):
        miya.explain(nn.Linear(3, 2), inputs, y, loss="cross_entropy", optimizer="sgd")
