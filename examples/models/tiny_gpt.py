"""A GPT-style transformer of two layers that learns a short text by heart.

Run it with torch installed: python examples/models/tiny_gpt.py
`miya explain examples/models/tiny_gpt.py:make_model` tells one further step.
"""

from __future__ import annotations

from typing import Any

import torch
from char_lstm import loss, sequences
from char_lstm import score as characters_right
from telling import load, main, seeded, text
from torch import nn
from torch.nn import functional as F

WHY = ("blocks.0.qkv.weight[3,17]", "blocks.1.down.weight[5,40]", "position.weight[2,0]")
TEXT, NUMBER = text()
LENGTH, WIDTH, HEADS = 32, 32, 4


class Block(nn.Module):
    """Causal self-attention, then two dense layers, each added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.mix = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, time, _ = x.shape
        split = self.qkv(self.norm1(x)).view(n, time, 3, HEADS, WIDTH // HEADS)
        q, k, v = split.permute(2, 0, 3, 1, 4)  # each (n, heads, time, width of a head)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).reshape(n, time, WIDTH))
        made: torch.Tensor = x + self.down(F.gelu(self.up(self.norm2(x))))
        return made


class TinyGPT(nn.Module):
    """The next character, from all before it (after GPT-2: norms first, learned positions)."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Embedding(len(NUMBER), WIDTH)
        self.position = nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, len(NUMBER))

    def forward(self, characters: torch.Tensor) -> torch.Tensor:
        """(n, time) numbers of characters to (n, time, characters) logits of the next."""
        places = torch.arange(characters.shape[1])
        x = self.token(characters) + self.position(places)
        logits: torch.Tensor = self.head(self.norm(self.blocks(x)))
        return logits


@seeded
def train() -> nn.Module:
    """The trained network."""
    net = TinyGPT()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.004)
    for _ in range(400):
        characters, following = sequences(torch.randint(len(TEXT) - LENGTH - 1, (24,)), LENGTH)
        optimizer.zero_grad()
        loss(net(characters), following).backward()
        optimizer.step()
    return net


def score(net: nn.Module) -> float:
    """The share of the text's characters that it says right."""
    return characters_right(net, LENGTH)


def make_model() -> dict[str, Any]:
    """What one further step needs: the first eight characters, and what follows each."""
    net = load(TinyGPT(), "tiny_gpt")
    characters, following = sequences(torch.tensor([0]), 8)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.001)
    return {
        "title": "A tiny GPT says the next character",
        "model": net,
        "loss": loss,
        "optimizer": optimizer,
        "inputs": characters,
        "target": following,
    }


if __name__ == "__main__":
    main("tiny_gpt", train, score, make_model, WHY, "right on {:.1%} of the next characters")
