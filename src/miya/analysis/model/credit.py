"""Credit of a model's parameters: each one's share of the real change of the loss.

Cᵢ = Δθᵢ ∫₀¹ gᵢ(θ + uΔθ) du (Lan et al., arXiv 1909.01440), in float64 where the model can be
converted. Where the loss is a sum over examples each one's way is integrated on its own, so that
only its own kinks are in the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from ...core.model import ModelTrace
from ...core.rerun import Runner
from ...core.rounding import Array
from ...errors import MiyaInputError
from .along import Along, Budget
from .sides import crossings

GOAL = 1e-9  # of the real change
TOLERANCE = 1e-10  # of it, shared by all pieces
FEWEST = 12  # below which not even a way without kinks is integrated
WHOLE, EACH = 10_000, 3_000  # evaluations at most: of a whole batch, of each part of one
COARSE = 20  # times fewer in a narrow dtype, whose own noise soon hides what more would tell
Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class ModelCredit:
    """values: by parameter name, of its shape, of those that moved. total: their sum; residual
    total − real_change. dtype: what the model was evaluated in. first_order: Σ ∂C/∂θ · Δθ.
    evaluations: runs of a part of the batch; parts: how many there were; pieces: of their ways.
    """

    values: dict[str, Array]
    total: float
    real_change: float
    residual: float
    first_order: float
    evaluations: int
    pieces: int
    parts: int
    dtype: str

    @property
    def met(self) -> bool:
        """Whether the residual is at most 1e-9 of the real change."""
        return abs(self.residual) <= GOAL * abs(self.real_change)


_known: WeakKeyDictionary[ModelTrace, ModelCredit] = WeakKeyDictionary()


def model_credit(
    trace: ModelTrace,
    *,
    chunk: int | None = None,
    most: int | None = None,
    progress: Progress | None = None,
) -> ModelCredit:
    """The credits of every parameter that the step moved, worked out once a trace.

    chunk: examples evaluated together; None is one where the loss has kinks and is a sum or mean
    over examples, else all. most: evaluations, after which what is left is
    taken as it is; None is 10,000 of a whole batch, or 3,000 for each part of one.
    Raises MiyaInputError E610 for an infinite change, E613 for a chunk of a loss that is no sum.
    """
    if trace not in _known:
        _known[trace] = _credit(trace, chunk, most, progress)
    return _known[trace]


def known_credit(trace: ModelTrace) -> ModelCredit | None:
    """The credits where they have been worked out already."""
    return _known.get(trace)


CHEAP, FEW = 10_000_000, 800  # numbers that all evaluations together work out; evaluations
A_KINK = 20  # evaluations that each kink on the way asks for, about


def cheap_credit(trace: ModelTrace) -> ModelCredit | None:
    """The credits where few evaluations of a small model give them to 1e-9 of the change; None
    where they ask for more, or the change is infinite."""
    work = sum(r.size for call in trace.calls for r in call.results)
    most = min(CHEAP // max(work, 1), FEW)
    if trace not in _known and trace not in _dear:
        _try(trace, most)
    found = _known.get(trace)
    return found if found is not None and found.met and found.evaluations <= most else None


_dear: WeakSet[ModelTrace] = WeakSet()  # those that asked for more


def _try(trace: ModelTrace, most: int) -> None:
    found = None
    try:
        if most > FEWEST and A_KINK * _kinks(trace) < most:
            found = _credit(trace, None, most, None)
    except MiyaInputError:
        pass  # an infinite change has no credits
    if found is not None and found.met:
        _known[trace] = found
    else:
        _dear.add(trace)


def _kinks(trace: ModelTrace) -> int:
    """How many kinks lie between the step's two ends, those crossed twice left out."""
    runner, moved = trace.runner.widened(), [p for p in trace.parameters.values() if p.trained]
    before = {p.name: p.before.astype(np.float64) for p in moved}
    after = {p.name: before[p.name] + p.change for p in moved}
    low, high = (runner.loss_and_sides(place)[1] for place in (before, after))
    return crossings(low, high).size


def _credit(
    trace: ModelTrace, chunk: int | None, most: int | None, progress: Progress | None
) -> ModelCredit:
    change = {p.name: p.change for p in trace.parameters.values() if p.trained and p.change.any()}
    before = {name: trace.parameters[name].before.astype(np.float64) for name in change}
    runner = trace.runner.widened()
    after = {name: before[name] + change[name] for name in change}
    at_start, at_end = runner.loss(before), runner.loss(after)
    real = at_end - at_start
    if not math.isfinite(real):
        raise MiyaInputError(
            "E610",
            f"the loss goes from {at_start:g} to {at_end:g} in this step: no credits add up to it",
            hint="use a smaller learning rate, or a loss on logits",
        )
    if not change:
        return ModelCredit({}, 0.0, real, -real, trace.predicted_change, 2, 0, 1, runner.dtype)
    runs = _parts(runner, before, after, chunk)
    total = {name: np.zeros_like(d) for name, d in change.items()}
    usual = WHOLE if len(runs) == 1 else EACH * len(runs)
    most = most or (usual if runner.dtype == "float64" else usual // COARSE)
    budget = Budget(most)
    with runs[0][1].quickly():
        ways = [Along(run, weight, before, change, total) for weight, run in runs]
        for k, way in enumerate(ways):
            # each part may spend its share of what is left
            share = Budget((most - budget.spent) // (len(runs) - k))
            way.integrate(
                _tolerance(runner, real) / len(runs) / max(abs(way.weight), 1e-300), share
            )
            budget.spent += share.spent
            if progress:
                progress((k + 1) / len(runs))
    for name, array in total.items():
        array *= change[name]
    found = math.fsum(float(v.sum()) for v in total.values())
    if not math.isfinite(found):
        raise MiyaInputError(
            "E610",
            "gradients on the way from before to after leave the dtype's range: no credits add up",
            hint="use a smaller learning rate",
        )
    return ModelCredit(
        total,
        found,
        real,
        found - real,
        trace.predicted_change,
        budget.spent,
        sum(way.pieces for way in ways),
        len(runs),
        runner.dtype,
    )


def _tolerance(runner: Runner, real: float) -> float:
    """What the sum may miss; a narrow dtype's own noise is not worth many evaluations."""
    coarse = {"float64": TOLERANCE}.get(runner.dtype, 1e-3)
    return coarse * abs(real)


def _parts(
    runner: Runner, before: dict[str, Array], after: dict[str, Array], chunk: int | None
) -> list[tuple[float, Runner]]:
    kinked = bool(runner.loss_and_sides(before)[1])
    whole = [(1.0, runner)]
    if chunk is None and not kinked:
        return whole
    parts = runner.parts(chunk or 1)
    if parts is None or not _adds_up(runner, parts, after):
        if chunk is not None:
            raise MiyaInputError(
                "E613",
                f"chunk is {chunk}, but this loss is no sum or mean over examples: batch "
                "statistics or masks tie them together",
                hint="leave chunk out",
            )
        return whole
    return list(parts)


def _adds_up(
    runner: Runner, parts: Sequence[tuple[float, Runner]], after: dict[str, Array]
) -> bool:
    whole = runner.loss(after)
    found = sum(w * run.loss(after) for w, run in parts)
    return abs(found - whole) <= 1e-9 * max(abs(whole), 1e-300)
