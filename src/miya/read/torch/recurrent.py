"""Recurrent layers by their time steps, as torch.nn.RNN, LSTM and GRU define them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from .steps import Arguments, Equivalent, Steps

Tensors = tuple[torch.Tensor, ...]
# (x, state, weights, steps) -> the next state, h first. weights: W_ih, W_hh, b_ih, b_hh, W_hr
Cell = Callable[[torch.Tensor, Tensors, Sequence[torch.Tensor | None], Steps], Tensors]


def _both(
    x: torch.Tensor, h: torch.Tensor, weights: Sequence[torch.Tensor | None]
) -> tuple[torch.Tensor, torch.Tensor]:
    from_input, from_state, input_bias, state_bias = weights[:4]
    assert from_input is not None and from_state is not None
    return F.linear(x, from_input, input_bias), F.linear(h, from_state, state_bias)


def _plain(squash: Callable[[torch.Tensor], torch.Tensor]) -> Cell:
    def cell(
        x: torch.Tensor, state: Tensors, weights: Sequence[torch.Tensor | None], steps: Steps
    ) -> Tensors:
        from_input, from_state = _both(x, state[0], weights)
        return (squash(steps.named("z", from_input + from_state)),)

    return cell


def _gru(
    x: torch.Tensor, state: Tensors, weights: Sequence[torch.Tensor | None], steps: Steps
) -> Tensors:
    (h,) = state
    from_input, from_state = _both(x, h, weights)
    (input_r, input_z, input_n), (state_r, state_z, state_n) = (
        part.chunk(3, -1) for part in (from_input, from_state)
    )
    r = steps.named("r", torch.sigmoid(input_r + state_r))
    z = steps.named("z", torch.sigmoid(input_z + state_z))
    n = steps.named("n", torch.tanh(input_n + r * state_n))
    return ((1 - z) * n + z * h,)


def _lstm(
    x: torch.Tensor, state: Tensors, weights: Sequence[torch.Tensor | None], steps: Steps
) -> Tensors:
    h, c = state
    from_input, from_state = _both(x, h, weights)
    gates = steps.named("z", from_input + from_state).chunk(4, -1)
    i, f, o = (
        steps.named(word, torch.sigmoid(gates[k])) for word, k in (("i", 0), ("f", 1), ("o", 3))
    )
    g = steps.named("g", torch.tanh(gates[2]))
    c = steps.named("c", f * c + i * g)
    h = o * torch.tanh(c)
    projection = weights[4] if len(weights) > 4 else None
    return (h if projection is None else F.linear(h, projection)), c


CELLS: dict[str, Cell] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn_tanh": _plain(torch.tanh),
    "rnn_relu": _plain(torch.relu),
}


@dataclass(frozen=True)
class Sequences:
    """parts: the input of each time step; sizes: how many sequences it holds, None where all."""

    parts: Sequence[torch.Tensor]
    sizes: list[int] | None

    def order(self, reverse: bool) -> Iterator[int]:
        times = range(len(self.parts))
        return iter(reversed(times) if reverse else times)


def _through_time(
    cell: Cell, given: Sequences, start: Tensors, weights: Any, reverse: bool, steps: Steps
) -> tuple[list[torch.Tensor], Tensors]:
    """h of each time step, and the last state of each sequence.

    start: of all sequences. Where sequences end early, forwards their state is put aside, and
    backwards they join in with theirs.
    """
    sizes = given.sizes
    hidden: dict[int, torch.Tensor] = {}
    state, aside = start, []  # type: tuple[torch.Tensor, ...], list[Tensors]
    if sizes is not None:
        state = tuple(s.narrow(0, 0, sizes[-1] if reverse else sizes[0]) for s in start)
    for t in given.order(reverse):
        with steps.within(f"t{t}"):
            if sizes is not None:
                state, ended = _resized(state, start, sizes[t])
                aside += ended
            state = cell(given.parts[t], state, weights, steps)
            hidden[t] = steps.named("h", state[0])
    if aside:
        state = tuple(torch.cat(list(s), 0) for s in zip(state, *reversed(aside), strict=True))
    return [hidden[t] for t in sorted(hidden)], state


def _resized(state: Tensors, start: Tensors, size: int) -> tuple[Tensors, list[Tensors]]:
    """The state of `size` sequences, and that of the ones that have ended."""
    had = state[0].shape[0]
    if size < had:
        ended = tuple(s.narrow(0, size, had - size) for s in state)
        return tuple(s.narrow(0, 0, size) for s in state), [ended]
    if size > had:
        joined = tuple(
            torch.cat([s, first.narrow(0, had, size - had)], 0)
            for s, first in zip(state, start, strict=True)
        )
        return joined, []
    return state, []


@dataclass(frozen=True)
class Layout:
    """How a recurrent call puts its sequences together."""

    layers: int
    directions: int
    dropout: float
    packed: bool
    time: int  # the dimension of time, where not packed

    def path(self, layer: int, reverse: int) -> tuple[str, ...]:
        several = f"l{layer}" if self.layers > 1 else ""
        return several, "reverse" if reverse else ""

    def join(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.cat(list(parts), 0) if self.packed else torch.stack(list(parts), self.time)


def _layout(given: Arguments) -> Layout:
    return Layout(
        int(given["num_layers"]),
        2 if given["bidirectional"] else 1,
        float(given["dropout"]) if given["train"] else 0.0,
        "batch_sizes" in given,
        1 if given.get("batch_first") else 0,
    )


def recurrent(kind: str) -> Equivalent:
    """The equivalent of torch.lstm, gru, rnn_tanh or rnn_relu, packed or not."""

    def equivalent(given: Arguments, steps: Steps) -> Any:
        layout = _layout(given)
        states = given["hx"] if isinstance(given["hx"], tuple) else (given["hx"],)
        starts = list(zip(*(s.unbind(0) for s in states), strict=True))
        each = len(given["params"]) // len(starts)
        sequences, finals = _split(given, layout), []  # type: Sequences, list[Tensors]
        for layer in range(layout.layers):
            if layer and layout.dropout:
                sequences = _dropped(sequences, layout)
            outs = []
            for reverse in range(layout.directions):
                at = layer * layout.directions + reverse
                weights = _weights(given["params"][at * each : (at + 1) * each], given)
                with steps.within(*layout.path(layer, reverse)):
                    hidden, last = _through_time(
                        CELLS[kind], sequences, starts[at], weights, bool(reverse), steps
                    )
                outs.append(hidden)
                finals.append(last)
            sequences = Sequences(_side_by_side(outs), sequences.sizes)
        return layout.join(sequences.parts), *(torch.stack(f, 0) for f in zip(*finals, strict=True))

    return equivalent


def _split(given: Arguments, layout: Layout) -> Sequences:
    if layout.packed:
        sizes = given["batch_sizes"].tolist()
        return Sequences(torch.split(given["input"], sizes, 0), sizes)
    return Sequences(given["input"].unbind(layout.time), None)


def _weights(found: Sequence[torch.Tensor], given: Arguments) -> list[torch.Tensor | None]:
    """W_ih, W_hh, b_ih, b_hh, and W_hr where h is projected."""
    if given["has_biases"]:
        return list(found)
    return [*found[:2], None, None, *found[2:]]


def _side_by_side(outs: list[list[torch.Tensor]]) -> list[torch.Tensor]:
    if len(outs) == 1:
        return outs[0]
    return [torch.cat([f, b], -1) for f, b in zip(*outs, strict=True)]


def _dropped(sequences: Sequences, layout: Layout) -> Sequences:
    """All time steps as one tensor, as torch draws its mask for them."""
    if layout.packed:
        whole = F.dropout(torch.cat(list(sequences.parts), 0), layout.dropout, True)
        assert sequences.sizes is not None
        return Sequences(torch.split(whole, sequences.sizes, 0), sequences.sizes)
    whole = F.dropout(torch.stack(list(sequences.parts), 0), layout.dropout, True)
    return Sequences(whole.unbind(0), None)


def _one_step(kind: str) -> Equivalent:
    def equivalent(given: Arguments, steps: Steps) -> Any:
        state = given["hx"] if isinstance(given["hx"], tuple) else (given["hx"],)
        weights = [given.get(n) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        made = CELLS[kind](given["input"], state, weights, steps)
        return made if len(made) > 1 else made[0]

    return equivalent


RECURRENT: dict[str, Equivalent] = {
    **{kind: recurrent(kind) for kind in CELLS},
    **{f"{kind}_cell": _one_step(kind) for kind in CELLS},
}
