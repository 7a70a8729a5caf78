"""One network given as a file and as a torch model: the same keys, words and numbers everywhere."""

import json
import math
import re

import pytest
import torch
from torch import nn

import miya

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
NUMBER = re.compile(r"[-−+]?\d+(?:[.,]\d+)*(?:e[-−+]?\d+)?")
OPTIMIZERS = {
    "sgd": (
        {"name": "sgd", "momentum": 0.9, "lr": 0.1},
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    "adam": ({"name": "adam", "lr": 0.01}, lambda p: torch.optim.Adam(p, lr=0.01)),
}
LOSSES = {
    "cross_entropy": (nn.CrossEntropyLoss(), [2, 0, 1]),
    "mean_squared_error": (nn.MSELoss(), [[0.1, 0.5, -0.2], [1.0, 0.0, 0.3], [0.2, -0.4, 0.6]]),
}


@pytest.fixture(scope="module", params=[(o, c) for o in OPTIMIZERS for c in LOSSES], ids=str)
def pair(request, tmp_path_factory):
    """The explanation of the file and that of the model."""
    optimizer, loss = request.param
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    model = model.double()
    x, (criterion, target) = torch.randn(3, 4).double(), LOSSES[loss]
    y = torch.tensor(target, dtype=torch.int64 if loss == "cross_entropy" else torch.float64)
    model_told = miya.explain(
        model,
        x,
        y,
        loss=criterion,
        optimizer=OPTIMIZERS[optimizer][1](model.parameters()),
    )
    activations = ["tanh", "relu", "identity"]
    net = {
        "title": model_told.trace.network.title,
        "loss": loss,
        "optimizer": OPTIMIZERS[optimizer][0],
        "layers": [
            {
                "weight": layer.weight.tolist(),
                "bias": layer.bias.tolist(),
                "activation": name,
                "name": known.layer.name,
                "neurons": list(known.layer.neurons),
            }
            for layer, name, known in zip(
                model[::2], activations, model_told.trace.layers, strict=True
            )
        ],
        "examples": [
            {"input": row, "target": goal} for row, goal in zip(x.tolist(), target, strict=True)
        ],
        "inputs": list(model_told.trace.network.input_names),
    }
    path = tmp_path_factory.mktemp("net") / "net.json"
    path.write_text(json.dumps(net))
    return miya.explain(str(path)), model_told


def differences(one, other, where=""):
    """Where two pieces of data differ: in keys, kinds, texts, or numbers by more than rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        yield from (f"{where}: {k} is in one" for k in set(one) ^ set(other))
        for key in set(one) & set(other):
            yield from differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{where}: {len(one)} and {len(other)} items"
        for k, (a, b) in enumerate(zip(one, other, strict=False)):
            yield from differences(a, b, f"{where}[{k}]")
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=1e-10, abs_tol=1e-14):
            yield f"{where}: {one} and {other}"
    elif isinstance(one, str) and isinstance(other, str):
        yield from told(one, other, where)
    elif one != other or type(one) is not type(other):
        yield f"{where}: {one!r} and {other!r}"


def told(one, other, where):
    """Texts: the same words, and the same numbers to the digits shown."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        yield f"{where}: {one!r} and {other!r}"
        return
    for a, b in zip(NUMBER.findall(one), NUMBER.findall(other), strict=True):
        x, y = (float(t.replace("−", "-").replace(",", "")) for t in (a, b))
        if not math.isclose(x, y, rel_tol=1e-3, abs_tol=1e-12):
            yield f"{where}: {a} and {b}"


def test_a_difference_is_found():
    base = {"a": [1.0, 2.0], "b": "w = 0.5"}
    for other in (
        {"a": [1.0, 2.0]},
        {"a": [1.0, 2.1], "b": "w = 0.5"},
        {"a": [1.0], "b": "w = 0.5"},
        {"a": [1.0, 2.0], "b": "w = 0.6"},
        {"a": [1.0, 2.0], "b": "v = 0.5"},
    ):
        assert list(differences(base, other))
    assert not list(differences(base, json.loads(json.dumps(base))))


def test_json(pair):
    file, model = (json.loads(p.json()) for p in pair)
    assert set(file) == set(model)
    assert not list(differences(file, model))


def test_story_and_page(pair):
    file, model = pair
    assert not list(told(file.text(), model.text(), "text"))
    for make in ("markdown", "latex"):
        one, other = getattr(file, make)(), getattr(model, make)()
        assert NUMBER.sub("#", one) == NUMBER.sub("#", other)
    # without the marks of formulas: what cancels may leave a sign
    tags = [re.findall(r"<(?!/?m[a-z]*\b)[a-zA-Z/][^\s>]*", p.html()) for p in pair]
    assert tags[0] == tags[1]
    ids = [re.findall(r'(?:class|data-ref|data-row)="([^"]*)"', p.html()) for p in pair]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal"])
def test_blame(pair, measure):
    one, other = (miya.blame(p.trace, measure=measure) for p in pair)
    for kind in ("parameters", "neurons"):
        rows, others = getattr(one, kind), getattr(other, kind)
        assert len(rows) == len(others) > 0
        # equal values may stand in either order
        values = [{r.name: r.value for r in found} for found in (rows, others)]
        assert set(values[0]) == set(values[1])
        for name, value in values[0].items():
            assert values[1][name] == pytest.approx(value, rel=1e-8, abs=1e-12), name


def test_diagram(pair):
    for options in ({}, {"view": "forward"}, {"view": "update", "animate": True}):
        animate = options.pop("animate", False)
        one, other = (miya.draw(p, **options).svg(animate=animate) for p in pair)
        parts = [re.findall(r'data-ref="([^"]*)"|<(\w+)', text) for text in (one, other)]
        assert parts[0] == parts[1]


def test_why(pair):
    for element in ("W1[2,3]", "b2[1]", "z1[0,4]", "a2[2,1]"):
        one, other = (p.trace.why(element).answer for p in pair)
        for a, b in zip(one.levels, other.levels, strict=True):
            assert (a.value.name, a.index, a.sum.count) == (b.value.name, b.index, b.sum.count)
            assert a.sum.total == pytest.approx(b.sum.total, rel=1e-10)
