"""The shares of a layer's neurons, counted by hand."""

import pytest
import torch
from torch import nn

import miya
from miya.watching.sinks import MemorySink

ROWS = 8


@pytest.mark.parametrize("active", [(0, 0, 1, 8), (1, 1, 1, 1), (0, 0, 0, 0), (0, 7, 8, 2)])
def test_a_neuron_is_dead_where_it_is_silent_on_every_row(active):
    """active: on how many rows each neuron is; on one is enough not to be dead."""
    layer = nn.Linear(ROWS, len(active), dtype=torch.float64)
    model = nn.Sequential(layer, nn.ReLU(), nn.Linear(len(active), 1, dtype=torch.float64))
    with torch.no_grad():
        layer.bias.fill_(0)
        layer.weight.fill_(-1)
        for neuron, count in enumerate(active):
            layer.weight[neuron, :count] = 1
    sink = MemorySink()
    with miya.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), every=1, sinks=[sink]) as w:
        model(torch.eye(ROWS, dtype=torch.float64)).sum().backward()
        w.optimizers[0].step()
    record = sink.steps[0]
    assert record.layers[0].dead == active.count(0) / len(active)
    assert record.neurons[0].silent.tolist() == [1 - count / ROWS for count in active]


@pytest.mark.parametrize(
    "pressures, greediest, greedy",
    [
        ((-9.0, 1.0, 1.0), 9 / 11, 1 / 3),  # the one that takes most has a negative δ
        ((-3.0, 3.0, -3.0), 1 / 3, 0.0),
        ((2.0, -2.0, 0.5), 2 / 4.5, 0.0),  # two are as large as each other
    ],
)
def test_greed_is_told_by_size_and_not_by_sign(pressures, greediest, greedy):
    model = nn.Sequential(nn.Linear(2, 3, dtype=torch.float64))
    sink = MemorySink()
    with miya.watch(model, torch.optim.SGD(model.parameters(), lr=0.1), every=1, sinks=[sink]) as w:
        out = model(torch.ones(1, 2, dtype=torch.float64))
        (out * torch.tensor(pressures, dtype=torch.float64)).sum().backward()
        w.optimizers[0].step()
    found = sink.steps[0].layers[0]
    assert sink.steps[0].neurons[0].pressure.tolist() == list(pressures)
    assert found.greediest == pytest.approx(greediest) and found.greedy == pytest.approx(greedy)
