"""The neurons that an example pushes most are told by the size of δ, whatever its sign."""

import pytest
import torch
from torch import nn

import miya


def test_the_neuron_of_the_right_class_is_pushed_most_and_down():
    """δ of a softmax's input is its probability, less 1 for the right class: that one is as large
    as all others together, and negative."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3, dtype=torch.float64))
    x, y = torch.randn(12, 4, dtype=torch.float64), torch.randint(0, 3, (12,))
    found = miya.blame_examples(model, (x, y), nn.CrossEntropyLoss(), neurons=2)
    chances = torch.softmax(model(x), 1).detach()
    for row in found.top(12):
        right = int(y[row.example])
        deltas = (chances[row.example] - nn.functional.one_hot(y[row.example], 3)).tolist()
        rest = sorted((d for k, d in enumerate(deltas) if k != right), reverse=True)
        assert row.neurons[0][0] == f"0[{right}]"
        assert [d for _, d in row.neurons] == pytest.approx([deltas[right], rest[0]], rel=1e-10)
