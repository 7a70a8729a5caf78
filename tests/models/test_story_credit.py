"""Credit in a model's story: by layer, neuron and parameter, with its sum and what that misses."""

import json

import pytest
import torch
from models.told import explained
from torch import nn

import miya
from miya.analysis.model.blame import model_blame
from miya.analysis.model.credit import cheap_credit, model_credit
from miya.read.torch.step import model_step


def tables(told):
    """The tables of the story after the heading of the credits, by what their first column is."""
    text = told.text()
    return text[text.index("Whose the change is") : text.index("Takeaways")]


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_the_story_shares_the_real_change_out(name):
    told = explained(name)
    shown, ranking = tables(told), model_blame(told.trace, "credit")
    for row in (*ranking.layers, *ranking.neurons[:5], *ranking.parameters[:5]):
        assert row.name in shown
    steps = json.loads(told.json())["steps"]
    (whole,) = [s for s in steps if s["kind"] == "credit_sum"]
    real = told.trace.loss_after - told.trace.loss
    assert float(whole["result"]) == pytest.approx(real, rel=1e-4)
    assert "residual = " in shown


def test_the_layers_credits_are_printed_to_their_last_digit():
    told = explained("lstm", digits=6)
    ranking = model_blame(told.trace, "credit")
    for row in ranking.layers:
        (line,) = [
            entry for entry in tables(told).splitlines() if entry.strip().startswith(f"{row.name} ")
            and "%" in entry and "[" not in entry
        ]  # fmt: skip
        assert float(line.split()[1]) == pytest.approx(row.value, rel=1e-5)


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(24, 24) for _ in range(6)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu() + x
        return x


def test_many_kinks_are_left_to_blame_and_said_so():
    torch.manual_seed(0)
    model, x = Deep().double(), torch.randn(40, 24).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = miya.explain(model, x, torch.randn(40, 24).double(), loss="MSELoss", optimizer=optimizer)
    assert cheap_credit(told.trace) is None
    shown = " ".join(tables(told).split())
    assert "miya blame --measure credit does it, by layer, neuron and parameter." in shown
    assert "Σ credits" not in shown


def test_the_losss_own_rounding_does_not_cut_the_way_to_dust():
    """A small loss of large logits rounds more than its own size says; four times as many pieces
    and still more than the goal is what taking it for exact comes to."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1),
        nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4),
    ).double()  # fmt: skip
    x = torch.randn(4, 1, 4, 4).double()
    with torch.no_grad():
        model[-1].weight *= 5
        y = model(x).argmax(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    trace = model_step(model, x, y, loss=nn.CrossEntropyLoss(), optimizer=optimizer)
    found = model_credit(trace)
    assert found.met and found.pieces < 300 and found.evaluations < 1500
    real = trace.loss_after - trace.loss
    assert sum(v.sum() for v in found.values.values()) == pytest.approx(real, rel=1e-9)
