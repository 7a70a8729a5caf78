"""Tied embeddings: one matrix reads the words that come in and scores the words that may follow.

Run it with torch installed: python examples/models/tied.py
`miya explain examples/models/tied.py:make_model` tells one further step.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from telling import load, main, seeded, text
from torch import nn

WHY = ("embedding.weight[5,3]", "mix.weight[2,9]", "head.bias[1]")
WORDS = re.findall(r"\w+|[.,?]", text()[0].lower())
NUMBER = {word: k for k, word in enumerate(sorted(set(WORDS)))}
WIDTH, BEFORE = 16, 3


class Tied(nn.Module):
    """The next word from the three before it; input and output share their weights (Press and
    Wolf 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(NUMBER), WIDTH)
        self.mix = nn.Linear(BEFORE * WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, len(NUMBER))
        self.head.weight = self.embedding.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """(n, 3) numbers of words to (n, words) logits of the next."""
        mixed = torch.tanh(self.mix(self.embedding(words).flatten(1)))
        logits: torch.Tensor = self.head(mixed)
        return logits


def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    """Every three words of the text (n, 3), and the word that follows them (n,)."""
    numbers = torch.tensor([NUMBER[word] for word in WORDS])
    return numbers.unfold(0, BEFORE, 1)[:-1], numbers[BEFORE:]


@seeded
def train() -> nn.Module:
    """The trained network."""
    words, following = pairs()
    net = Tied()
    nn.init.normal_(net.embedding.weight, std=0.3)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(words), following).backward()
        optimizer.step()
    return net


def score(net: nn.Module) -> float:
    """The share of the text's words that it says right."""
    words, following = pairs()
    with torch.no_grad():
        return float((net(words).argmax(1) == following).double().mean())


def make_model() -> dict[str, Any]:
    """What one further step needs: the first four pairs."""
    net = load(Tied(), "tied")
    words, following = pairs()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    return {
        "title": "Tied embeddings say the next word",
        "model": net,
        "loss": nn.CrossEntropyLoss(),
        "optimizer": optimizer,
        "inputs": words[:4],
        "target": following[:4],
    }


if __name__ == "__main__":
    main("tied", train, score, make_model, WHY, "right on {:.1%} of the next words")
