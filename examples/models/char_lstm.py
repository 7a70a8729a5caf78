"""A character LSTM that learns a short text by heart.

Run it with torch installed: python examples/models/char_lstm.py
`miya explain examples/models/char_lstm.py:make_model` tells one further step.
"""

from __future__ import annotations

from typing import Any

import torch
from telling import load, main, seeded, text
from torch import nn

WHY = ("lstm.weight_hh_l0[3,7]", "embedding.weight[10,0]", "head.bias[1]")
TEXT, NUMBER = text()
LENGTH = 48  # characters of a sequence


class CharLSTM(nn.Module):
    """The next character, from all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(NUMBER), 12)
        self.lstm = nn.LSTM(12, 48, batch_first=True)
        self.head = nn.Linear(48, len(NUMBER))

    def forward(self, characters: torch.Tensor) -> torch.Tensor:
        """(n, time) numbers of characters to (n, time, characters) logits of the next."""
        hidden, _ = self.lstm(self.embedding(characters))
        logits: torch.Tensor = self.head(hidden)
        return logits


def sequences(starts: torch.Tensor, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, length) of characters, and of those that follow them, from each start."""
    numbers = torch.tensor([NUMBER[c] for c in TEXT])
    at = starts[:, None] + torch.arange(length)
    return numbers[at], numbers[at + 1]


def loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean cross entropy of the next character: (n, time, characters) against (n, time)."""
    return nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())


@seeded
def train() -> nn.Module:
    """The trained network."""
    net = CharLSTM()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(300):
        starts = torch.randint(len(TEXT) - LENGTH - 1, (16,))
        characters, following = sequences(starts, LENGTH)
        optimizer.zero_grad()
        loss(net(characters), following).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return net


def score(net: nn.Module, length: int = LENGTH) -> float:
    """The share of the text's characters that it says right."""
    characters, following = sequences(torch.arange(0, len(TEXT) - length - 1, length), length)
    with torch.no_grad():
        right = net(characters).argmax(2) == following
    return float(right.double().mean())


def make_model() -> dict[str, Any]:
    """What one further step needs: the first eight characters, and what follows each."""
    net = load(CharLSTM(), "char_lstm")
    characters, following = sequences(torch.tensor([0]), 8)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=0.001)
    return {
        "title": "An LSTM says the next character",
        "model": net,
        "loss": loss,
        "optimizer": optimizer,
        "inputs": characters,
        "target": following,
    }


if __name__ == "__main__":
    main("char_lstm", train, score, make_model, WHY, "right on {:.1%} of the next characters")
