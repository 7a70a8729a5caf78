"""What the examples of this folder share: their weights on disk, and the telling of one step."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_model, save_model
from torch import nn

import miya

HERE = Path(__file__).parent
SEED = 7
Made = TypeVar("Made")


def seeded(function: Callable[[], Made]) -> Callable[[], Made]:
    """The same each time, whatever was drawn before; what is drawn after does not change."""

    @functools.wraps(function)
    def call() -> Made:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return function()

    return call


def load(model: nn.Module, name: str) -> nn.Module:
    """The model with the weights that ship, in float64: what is told is then the same
    everywhere to many more digits than are shown."""
    load_model(model, HERE / f"{name}.safetensors")
    return model.double()


def text() -> tuple[str, dict[str, int]]:
    """The text that ships, and the number of each of its characters."""
    found = (HERE / "miya.txt").read_text("utf-8")
    return found, {c: k for k, c in enumerate(sorted(set(found)))}


def main(
    name: str,
    train: Callable[[], nn.Module],
    score: Callable[[nn.Module], float],
    make_model: Callable[[], dict[str, Any]],
    why: Sequence[str],
    says: str,
) -> None:
    """Train, say how well, and tell one further step; with --save also write the weights."""
    model = train()
    print(says.format(score(model)))
    if "--save" in sys.argv:
        save_model(model, str(HERE / f"{name}.safetensors"))
        print(f"wrote {name}.safetensors")
        return
    tell(make_model(), why)


def tell(step: dict[str, Any], why: Sequence[str]) -> miya.Explanation:
    """The story of the step, who is to blame, why three weights move, and the diagram."""
    told = miya.explain(
        step["model"],
        step["inputs"],
        step["target"],
        loss=step["loss"],
        optimizer=step["optimizer"],
    )
    print(told)
    print(miya.blame(told, measure="credit", top=5))
    for element in why:
        print(told.why(element))
    miya.draw(told).save("step.svg")
    print("drew step.svg")
    return told
