"""Examples whose label is wrong are found among the most blamed."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import miya

CROSS = nn.CrossEntropyLoss()


def mlp():
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
    )


def planted(seed):
    """Digits, their labels with 2 % of them wrong, and which those are."""
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    draw = torch.Generator().manual_seed(seed)
    wrong = torch.randperm(len(y), generator=draw)[: round(0.02 * len(y))]
    labels = y.clone()
    labels[wrong] = (y[wrong] + torch.randint(1, 10, (len(wrong),), generator=draw)) % 10
    return x, labels, set(wrong.tolist())


def trained(make, x, labels, seed):
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(8):
        for rows in torch.randperm(len(labels)).split(64):
            optimizer.zero_grad()
            CROSS(model(x[rows]), labels[rows]).backward()
            optimizer.step()
    return model


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("make", [mlp, cnn])
def test_wrong_labels_are_among_the_four_per_cent_most_blamed(make, seed):
    x, labels, wrong = planted(seed)
    x = x.reshape(-1, 1, 8, 8) if make is cnn else x
    model = trained(make, x, labels, seed)
    found = miya.blame_examples(model, (x, labels), CROSS, batch_size=256, top=1)
    most = round(0.04 * len(labels))
    for by in ("gradient", "loss"):
        caught = wrong & set(found.ranking(by)[:most].tolist())
        assert len(caught) >= 0.8 * len(wrong), (by, len(caught), len(wrong))
    row = found.top(1)[0]
    assert row.example in wrong and row.target == str(int(labels[row.example])) != row.answer
