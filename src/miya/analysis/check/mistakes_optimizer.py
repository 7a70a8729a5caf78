"""Known mistakes in the optimizer's own numbers, and in the step that comes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...core.written import Quantity
from . import optimizer
from .world import World

Variant = tuple[str, float]
# the two shares of a running mean, by the line that has them
SHARES = {"m": "beta1", "v": "beta2", "s": "alpha"}
SWAP = {"beta1": "beta2", "beta2": "beta1"}


def state(w: World, of: Quantity) -> Iterator[Variant]:
    """Mistakes of one of the optimizer's lines."""
    name, _, letter = of.head.rpartition("_")
    yield from _of_others(w, of)
    if name.endswith("_before"):
        return
    formula, known = _line(w, of, name, letter)
    yield from _gradient(w, formula, known)
    if f"{name}_before" in known:
        yield from _kept(name, formula, known)
    if name.endswith("_hat"):
        yield from _corrected(name, formula, known)


def _line(w: World, of: Quantity, name: str, letter: str) -> tuple[str, dict[str, Any]]:
    known = optimizer.names(w, of, letter)
    for one, formula in optimizer.lines(w):
        if one == name:
            return formula, known
        known[one] = w.get(Quantity(f"{one}_{letter}", of.layer, of.index))
    raise KeyError(name)


def _with(formula: str, known: dict[str, Any], **changed: float) -> float:
    return optimizer.worked(formula, {**known, **changed})


def _gradient(w: World, formula: str, known: dict[str, Any]) -> Iterator[Variant]:
    """The gradient of the line taken wrongly."""
    g = next((n for n in ("d", "g_up", "g") if re.search(rf"\b{n}\b", formula)), None)
    if g is None:
        return
    yield "gradient_sign", _with(formula, known, **{g: -known[g]})
    yield "gradient_left_out", _with(formula, known, **{g: 0.0})
    if "weight_decay" in formula:
        yield "decay_left_out", _with(formula, known, weight_decay=0.0)
    if f"{g}**2" in formula:
        yield "square_left_out", _with(formula.replace(f"{g}**2", g), known)
        yield "square_left_out", _with(formula.replace(f"{g}**2", f"(-{g})"), known)
    if "lr" in formula:
        yield "rate_left_out", _with(formula, known, lr=1.0)
    else:
        yield "rate_taken_in", _with(formula, known, **{g: known["lr"] * known[g]})


def _kept(name: str, formula: str, known: dict[str, Any]) -> Iterator[Variant]:
    """What is kept of the step before taken wrongly."""
    before, share = f"{name}_before", SHARES.get(name, "momentum")
    yield "state_left_out", _with(formula, known, **{before: 0.0})
    yield "state_sign", _with(formula, known, **{before: -known[before]})
    yield "not_updated", known[before]
    share = share if share in known else "momentum"
    if share not in known:
        return
    part = known[share]
    yield "share_left_out", _with(formula.replace(f"{share} * {before}", before), known)
    yield "share_swapped", _with(formula, known, **{share: 1 - part})
    if f"(1 - {share}) *" in formula:
        yield "share_left_out", _with(formula.replace(f"(1 - {share}) *", ""), known)
    else:
        plain = formula.replace(f"{share} * {before}", "0")
        yield "share_added", part * known[before] + (1 - part) * _with(plain, known)
    other = SWAP.get(share)
    if other:
        yield "other_beta", _with(formula, known, **{share: known[other]})


def _corrected(name: str, formula: str, known: dict[str, Any]) -> Iterator[Variant]:
    """The correction of the start at 0."""
    moment, _, below = formula.partition(" / ")
    beta = SHARES[name[0]]
    value = known[moment]
    yield "bias_correction_left_out", value
    yield "bias_correction_times", value * optimizer.worked(below, known)
    for step in {1, known["t"] - 1, known["t"] + 1, 2} - {0, known["t"]}:
        yield "wrong_step", _with(formula, known, t=step)
    yield "other_beta", _with(formula, known, **{beta: known[SWAP[beta]]})
    yield "power_left_out", value / known[beta]
    yield "power_left_out", value / (1 - known[beta] * known["t"])
    yield "bias_correction_upside_down", value / known[beta] ** known["t"]


def step(w: World, of: Quantity) -> Iterator[Variant]:
    """Mistakes of Δθ: numbers of the optimizer left out of it, or put in the wrong place."""
    letter = of.head[1] if of.head[0] == "Δ" else of.head[0]
    formula = optimizer.lines(w)[-1][1]
    known = optimizer.every(w, of, letter)
    if "m_hat" in formula:
        raw = {"m_hat": known["m"], "v_hat": known["v"]}
        for names in (("m_hat", "v_hat"), ("m_hat",), ("v_hat",)):
            yield "bias_correction_left_out", _with(formula, known, **{n: raw[n] for n in names})
        yield "gradient_for_moment", _with(formula, known, m_hat=known["g"])
        yield "moments_swapped", _with(formula, known, m_hat=known["v_hat"], v_hat=known["m_hat"])
    if "**0.5" in formula:
        yield "root_left_out", _with(formula.replace("**0.5", ""), known)
        yield "root_left_out", _with(re.sub(r"(\w+|\([^()]*\))\*\*0\.5", "1", formula), known)
    if "weight_decay" in formula:
        yield "decay_left_out", _with(formula, known, weight_decay=0.0)
    for name in optimizer.LINES:
        before = known.get(f"{name}_before")
        if before is not None and re.search(rf"\b{name}\b", formula):
            yield "state_before", _with(formula, known, **{name: before})


def _of_others(w: World, of: Quantity) -> Iterator[Variant]:
    layer = of.layer or 1
    rows = range(w.sizes[layer])
    if len(of.index) == 1:
        places = [(i,) for i in rows]
    else:
        places = [(i, j) for i in rows for j in range(w.sizes[layer - 1])]  # type: ignore[misc]
    for index in places:
        if index != of.index:
            yield "wrong_index", w.get(Quantity(of.head, of.layer, index))


MAKERS = {head: state for head in optimizer.RULES if head[0] != "Δ"}
