"""What the picture says: every number of the trace as text, with its sign and size, unplaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from math import sqrt
from typing import Any

import numpy as np

from ..analysis.blame import PARAMETERS, Blame, Measure, blame
from ..analysis.flow import Flow, flow, greediest
from ..core.rounding import Array
from ..core.trace import LayerTrace, ParameterUpdate, Trace
from ..story.numbers import percent, settled
from ..story.words import load
from .font import clean
from .scene import Tone, View

DIGITS = 4
APART = 8  # digits at most, to tell a value after the update from the one before
LARGEST_PATHS = 3  # of a neuron of a summary
NAME = 60  # characters of a name in a plain sentence
# the columns of a card's table: what each view tells of a weight
COLUMNS: Mapping[View, tuple[str, ...]] = {
    "whole": ("before", "arrow", "after", "gradient"),
    "forward": ("before", "carried"),
    "blame": ("gradient",),
    "update": ("before", "arrow", "after", "change"),
    "givens": ("before",),
}
CELLS = ("arrow", "gradient", "change", "carried", "measure")  # beside before and after
SHOWN = {"pressure": "gradient", "step": "change"}  # measures that a column may show already


@dataclass(frozen=True)
class Line:
    """One incoming weight or bias. cells: by column."""

    ref: str
    kind: str
    source: int  # index in the layer before, or −1 for the constant 1
    title: str
    cells: Mapping[str, str]
    tone: Tone
    passed: Tone | None
    frozen: bool
    tapped: bool


@dataclass(frozen=True)
class Path:
    """What one outgoing path brings back."""

    name: str
    value: str
    tone: Tone


@dataclass(frozen=True)
class Card:
    ref: str
    layer: int
    title: str
    name: str
    delta: str
    facts: tuple[str, ...]
    tone: Tone
    asleep: bool
    pointed: bool
    lines: tuple[Line, ...]
    paths: tuple[Path, ...]
    total: str  # ∂C/∂a, "" where the view does not tell it


@dataclass(frozen=True)
class Input:
    ref: str
    title: str
    name: str
    value: str


class Content:
    """Texts and tones of one trace, seen through a view and a measure."""

    def __init__(
        self,
        trace: Trace,
        measure: Measure,
        view: View,
        example: int | None,
        digits: int | None,
        language: str,
        miya: bool,
    ) -> None:
        self.trace, self.measure, self.view, self.example = trace, measure, view, example
        self.digits = digits or trace.digits or DIGITS
        self.language, self.miya = language, miya
        self.words = load(language)["diagram"]

    # what is read from the trace

    @cached_property
    def values(self) -> dict[str, Array]:
        """The measure of every parameter, by its array's name."""
        return PARAMETERS[self.measure](self.trace)

    @cached_property
    def blame(self) -> Blame:
        return blame(self.trace, self.measure, top=100)

    @cached_property
    def flows(self) -> list[Flow]:
        return [flow(layer, self.example) for layer in self.trace.layers]

    @cached_property
    def greedy(self) -> tuple[int, int, float] | None:
        return greediest(self.trace, self.example)

    @cached_property
    def largest(self) -> dict[str, float]:
        """What each scale ends at."""
        carried = (v for f in self.flows for v in (f.carried, f.carried_bias))
        return {
            "delta": _largest(f.delta for f in self.flows),
            "measure": _largest(self.values.values()),
            "passed": _largest(f.passed for f in self.flows[1:]),
            "carried": _largest(carried) if self.view == "forward" else 0.0,
            "a": _largest(v for f in self.flows for v in f.a),
        }

    @property
    def tapped(self) -> str:
        """The reference of the parameter that ranks first, "" where all are 0."""
        top = self.blame.parameters[0]
        return reference(top.kind, top.layer, top.index) if top.value else ""

    def named(self, layer: int) -> list[int]:
        """The neurons of a layer (from 1) that Miya taps a parameter of, or points at."""
        if self.view == "forward":
            return []
        top = self.blame.parameters[0]
        found = [top.index[0]] if self.tapped and top.layer == layer else []
        if self.greedy and self.greedy[0] == layer and self.greedy[1] not in found:
            found.append(self.greedy[1])
        return found

    # how it is said

    def say(self, key: str, **values: Any) -> str:
        return self.words[key].format(**values)

    def number(self, value: float, digits: int | None = None) -> str:
        return written(float(value), digits or self.digits)

    def pair(self, before: float, after: float) -> tuple[str, str]:
        """Both to as many digits as tell them apart, up to APART; else to the usual ones."""
        pairs = (
            (self.number(before, digits), self.number(after, digits))
            for digits in range(self.digits, max(APART, self.digits) + 1)
        )
        usual = next(pairs)
        if before == after or not alike(*usual):
            return usual
        return next((pair for pair in pairs if not alike(*pair)), usual)

    def moved(self, before: float, after: float, change: float) -> tuple[str, str]:
        """Before and after, or the change where both look alike."""
        told, then = self.pair(before, after)
        by = self.signed(change)
        return told, f"Δ {by}" if alike(told, then) and by != "0" else then

    def signed(self, value: float) -> str:
        text = self.number(value)
        return f"+{text}" if value > 0 else text

    def span(self, bounds: tuple[Array, Array], i: int) -> str:
        low, high = (self.number(float(v[i])) for v in bounds)
        return low if low == high else f"{low} … {high}"

    def tone(self, value: float, scale: str) -> Tone:
        return tone(float(value), self.largest[scale])

    @property
    def columns(self) -> tuple[str, ...]:
        own = COLUMNS[self.view]
        extra = SHOWN.get(self.measure, "measure")
        return own if self.view in ("forward", "givens") or extra in own else (*own, extra)

    # the parts

    def inputs(self) -> list[Input]:
        names = self.trace.network.input_names
        bounds = self.flows[0].input
        found = []
        for j in range(self.trace.network.sizes[0]):
            value, ref = self.span(bounds, j), f"x[{j}]"
            name = clean(names[j]) if names else ref
            title = self.say("input_title", name=name[:NAME], value=value)
            found.append(Input(ref, title, name, value))
        return found

    def cards(self, k: int, only: list[int] | None = None, top: int | None = None) -> list[Card]:
        """The cards of layer k (from 0): of the neurons `only`, with their `top` lines."""
        neurons = range(self.trace.layers[k].layer.outputs) if only is None else only
        return [self.card(k, i, top) for i in neurons]

    def card(self, k: int, i: int, top: int | None = None) -> Card:
        layer, found = self.trace.layers[k], self.flows[k]
        forward, back = self.view == "forward", self.view in ("whole", "blame")
        value = float(found.delta[i])
        delta = self.signed(value)
        name = clean(layer.layer.neurons[i])
        title = self.say(
            "forward_title" if forward else "neuron_title",
            name=name[:NAME],
            i=i,
            layer=layer.number,
            delta=delta,
            z=self.span(found.z, i),
            a=self.span(found.a, i),
        )
        signal = float(found.a[1][i])
        return Card(
            f"n{layer.number}.{i}",
            layer.number,
            title,
            name,
            "" if forward else f"δ = {delta}",
            tuple(self.facts(found, i)),
            self.tone(signal, "a") if forward else self.tone(value, "delta"),
            signal == 0 if forward else value == 0,
            not forward and self.greedy is not None and self.greedy[:2] == (k + 1, i),
            tuple(self._lines(layer, found, i, top)),
            tuple(self._paths(k, i, top)) if back else (),
            self.signed(found.grad_a[i]) if back else "",
        )

    def facts(self, found: Flow, i: int) -> list[str]:
        facts = [f"z = {self.span(found.z, i)}", f"a = {self.span(found.a, i)}"]
        if found.slope is not None and self.view != "forward":
            facts.append(f"σ′ = {self.span(found.slope, i)}")
        return facts

    def _paths(self, k: int, i: int, top: int | None) -> list[Path]:
        """What comes back to neuron i of layer k, one path a neuron of the layer after it.

        top: the largest paths have to do, and a last entry counts the others.
        """
        if k + 1 == len(self.flows):
            return []
        back = self.flows[k + 1].passed
        count = back.shape[0]
        told: Sequence[int] = range(count)
        if top is not None and count > LARGEST_PATHS:
            order = np.argsort(-np.abs(back[:, i]), kind="stable")
            told = sorted(order[:LARGEST_PATHS].tolist())
        found = [
            Path(
                f"W{k + 2}[{m}][{i}]·δ{k + 2}[{m}]",
                self.signed(back[m, i]),
                self.tone(back[m, i], "passed"),
            )
            for m in told
        ]
        if len(told) < count:
            found.append(Path(self.say("paths_more", count=count - len(told)), "", Tone()))
        return found

    def _lines(self, layer: LayerTrace, found: Flow, i: int, top: int | None) -> list[Line]:
        sources: Sequence[int] = range(layer.layer.inputs)
        forward = self.view == "forward"
        values = found.carried[i] if forward else self.values[layer.weight.name][i]
        if top is not None and len(values) > top:
            sources = sorted(np.argsort(-np.abs(values), kind="stable")[:top].tolist())
        lines = [self._line("weight", layer, found, i, j) for j in sources]
        return [*lines, self._line("bias", layer, found, i, -1)]

    def _line(self, kind: str, layer: LayerTrace, found: Flow, i: int, j: int) -> Line:
        update: ParameterUpdate = layer.weight if kind == "weight" else layer.bias
        own = 0 if kind == "bias" and layer.layer.shared_bias else i
        index = (own, j) if kind == "weight" else (own,)
        ref = reference(kind, layer.number, index)
        forward = self.view == "forward"
        carried, passed = 0.0, None
        if forward:
            carried = _carried(found, index, j)
        elif j >= 0 and layer.number > 1:  # nothing at the inputs can be changed
            passed = float(found.passed[index])
        value = float(self.values[update.name][index])
        cells = {key: self._cell(key, update, found, index, j) for key in CELLS}
        cells["before"], cells["after"] = self.moved(
            *(float(v[index]) for v in (update.before, update.after, update.change))
        )
        return Line(
            ref,
            kind,
            j,
            self._line_title(ref, layer, i, j, cells, passed),
            cells,
            self.tone(carried, "carried") if forward else self.tone(value, "measure"),
            None if passed is None else self.tone(passed, "passed"),
            not bool(update.mask[index]),
            not forward and ref == self.tapped and own == i,
        )

    def _cell(
        self, key: str, update: ParameterUpdate, found: Flow, index: tuple[int, ...], j: int
    ) -> str:
        """One of CELLS of a weight or, with j < 0, a bias."""
        if key == "gradient":
            return self.signed(update.gradient[index])
        if key == "change":
            return self.signed(update.change[index])
        if key == "measure":
            return self.signed(self.values[update.name][index])
        return self.signed(_carried(found, index, j)) if key == "carried" else "→"

    def _line_title(
        self,
        ref: str,
        layer: LayerTrace,
        i: int,
        j: int,
        cells: Mapping[str, str],
        passed: float | None,
    ) -> str:
        k = layer.number - 1
        if j < 0:
            source = self.say("constant")
        elif k:
            source = clean(self.trace.layers[k - 1].layer.neurons[j])
        else:
            names = self.trace.network.input_names
            source = clean(names[j]) if names else f"x[{j}]"
        key = {"forward": "edge_forward", "update": "edge_update"}.get(self.view, "edge_blame")
        text = self.say(
            key,
            ref=ref,
            source=source[:NAME],
            target=clean(layer.layer.neurons[i])[:NAME],
            **cells,
        )
        if passed is None or key != "edge_blame":
            return text
        return text + " " + self.say("edge_back", value=self.signed(passed))

    def share(self, share: float) -> str:
        return percent(share).replace(" ", "\u00a0")  # no line ends before its %


def _carried(found: Flow, index: tuple[int, ...], j: int) -> float:
    """What goes forward along a weight or, with j < 0, from the constant 1."""
    return float(found.carried[index] if j >= 0 else found.carried_bias[index[0]])


def reference(kind: str, layer: int, index: tuple[int, ...]) -> str:
    return f"{'W' if kind == 'weight' else 'b'}{layer}" + "".join(f"[{i}]" for i in index)


def alike(one: str, other: str) -> bool:
    """Whether two numbers look equal: 0.2 and 0.2000 do."""
    # two texts that are other floats are other numbers, which is quicker to find out
    return _float(one) == _float(other) and _value(one) == _value(other)


def _float(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def _value(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace("∞", "Infinity"))


@lru_cache(maxsize=2**12)
def written(value: float, digits: int) -> str:
    """Most numbers of a picture are still the same when it is drawn again."""
    return minus(settled(value, abs(value), digits))


def minus(text: str) -> str:
    """A hyphen before digits as a minus sign, which is easier to see."""
    return text.replace("-", "−")


def tone(value: float, largest: float) -> Tone:
    """Where a value stands on the scale from −largest to largest."""
    if value == 0 or largest == 0 or np.isnan(value):
        return Tone()
    share = 1.0 if np.isinf(value) else 0.0 if np.isinf(largest) else abs(value) / largest
    return Tone(1 if value > 0 else -1, min(1.0, sqrt(share)))


def _largest(arrays: Any) -> float:
    return max((float(np.abs(a).max()) for a in arrays if a.size), default=0.0)
