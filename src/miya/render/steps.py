"""The steps of a training run: a line each for a person, a JSON line each for a file."""

from __future__ import annotations

import json

import numpy as np

from ..core.trace import Trace
from ..story.numbers import number, signed
from ..story.quantity import Symbol
from ..story.symbols import plain_symbol
from ..story.words import load


def most_pressed(trace: Trace) -> tuple[str, float]:
    """The parameter under most pressure, and its gradient."""
    best = ("", 0.0)
    for layer in trace.layers:
        for letter, update in (("W", layer.weight), ("b", layer.bias)):
            index = np.unravel_index(int(np.abs(update.gradient).argmax()), update.gradient.shape)
            value = float(update.gradient[index])
            if abs(value) > abs(best[1]) or not best[0]:
                symbol = Symbol(letter, layer.number, tuple(int(i) for i in index))
                best = (plain_symbol(symbol), value)
    return best


def line(trace: Trace, digits: int, language: str) -> str:
    symbol, gradient = most_pressed(trace)
    return load(language)["train"]["line"].format(
        number=trace.number,
        loss=number(trace.loss, digits),
        symbol=symbol,
        gradient=signed(gradient, digits),
    )


def record(trace: Trace) -> str:
    symbol, gradient = most_pressed(trace)
    return json.dumps(
        {
            "step": trace.number,
            "loss": trace.loss,
            "most_pressure": {"symbol": symbol, "gradient": gradient},
            "layers": [
                {
                    "name": layer.name,
                    "delta": layer.delta.tolist(),
                    **{
                        kind: {
                            "before": update.before.tolist(),
                            "gradient": update.gradient.tolist(),
                            "change": update.change.tolist(),
                            "after": update.after.tolist(),
                            "state": {k: v.tolist() for k, v in update.state.items()},
                        }
                        for kind, update in (("weight", layer.weight), ("bias", layer.bias))
                    },
                }
                for layer in trace.layers
            ],
        },
        ensure_ascii=False,
        allow_nan=False,
    )
