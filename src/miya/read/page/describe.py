"""The network of a page as docs/network-file.md has it, from what the page gives and says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ...core.page import Note
from ...core.written import Chain
from . import evidence, substituted
from .givens import Given
from .names import Binder, subjects
from .values import cells


def description(given: Given, text: str, chains: list[Chain]) -> dict[str, Any] | None:
    """The network as docs/network-file.md has it; notes and missing parts go to `given`."""
    style = given.style
    if not given.weights or any(v is None for r in given.weights.values() for q in r for v in q):
        given.missing.append("weights")
        return None
    if not given.inputs:
        given.missing.append("x")
    put_in = None if given.targets else substituted.targets(chains, style.sizes[-1])
    if put_in is not None:
        values, at = put_in
        given.targets.append(values)
        given.lines["y"] = at
        given.notes.append(
            Note("found_target", {"values": ", ".join(map(str, values)), "line": at})
        )
    if not given.targets:
        given.missing.append("y")
    if given.missing:
        return None
    binder = Binder(style)
    known, told = evidence.activations(text, chains, binder, style.layers)
    outputs = style.sizes[-1]
    loss, sure = evidence.loss(text, chains, outputs)
    rate = given.rate or evidence.rate(text)
    layers = []
    for k in range(1, style.layers + 1):
        if k not in known:
            given.notes.append(Note("assumed_activation", {"layer": k}))
        if k not in given.biases:
            given.notes.append(Note("assumed_no_bias", {"layer": k}))
        bias = given.biases.get(k, [Decimal(0)] * style.sizes[k])
        if isinstance(bias, Decimal) and style.sizes[k] > 1:
            given.notes.append(Note("assumed_shared", {"layer": k}))
        layers.append(
            {
                "weight": given.weights[k],
                "bias": [v or Decimal(0) for v in bias] if isinstance(bias, list) else bias,
                "activation": known.get(k) or evidence.likely(text, known, k, style.layers),
                "trainable": {"weight": True, "bias": not evidence.FROZEN.search(text)},
            }
        )
    made: dict[str, Any] = {
        "learning_rate": rate or Decimal("0.1"),
        "loss": loss or "squared_error",
        "layers": layers,
        "examples": [
            {"input": x, "target": y} for x, y in zip(given.inputs, given.targets, strict=False)
        ],
    }
    rates = _rates(chains)
    how = evidence.optimizer(text, rates)
    if how:
        made["optimizer"] = how
    if rate is None:
        given.notes.append(Note("assumed_no_rate", {}))
    _settle_loss(made, loss, given)
    made["sure"] = sure
    made["guessed"] = [k for k in range(1, style.layers + 1) if k not in told]
    return made


def _rates(chains: list[Chain]) -> dict[str, float]:
    found: dict[str, float] = {}
    for ref, chain in subjects(chains):
        if ref.name.base in ("β", "μ") and ref.wrt is None:
            values = cells(chain.sides[-1], 0)
            if set(values) == {()}:
                found.setdefault(
                    ref.name.base + "".join(ref.name.low), float(values[()].written.value)
                )
    return found


def _settle_loss(made: dict[str, Any], loss: str | None, given: Given) -> None:
    """Losses as Miya names them: softmax belongs to cross_entropy, which takes logits."""
    last = made["layers"][-1]
    if loss == "half_mean":
        made["loss"] = {"name": "half_squared_error", "outputs": "mean"}
    if loss == "cross_entropy" and last["activation"] == "softmax":
        last["activation"] = "identity"
        made["softmax"] = True
    elif loss == "cross_entropy" and last["activation"] == "sigmoid":
        made["loss"] = "binary_cross_entropy"
        given.notes.append(Note("assumed_binary", {}))
    elif loss is None and last["activation"] == "softmax":
        last["activation"], made["loss"], made["softmax"] = "identity", "cross_entropy", True
        given.notes.append(Note("assumed_cross_entropy", {}))
    if loss == "binary_cross_entropy" and last["activation"] == "identity":
        made["loss"] = "binary_cross_entropy_with_logits"
    if loss is None:
        given.notes.append(Note("assumed_loss", {"loss": made["loss"]}))
