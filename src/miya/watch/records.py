"""What one watched step saw, as plain numbers: collectors make it, rules and sinks read it.

Definitions are those of the Trace (docs/blame.md): pressure is ∂C/∂θ, δ is ∂C/∂z summed over the
examples of the batch, step is Δθ. Norms are Euclidean. A number that was not measured is None,
never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1  # of a run folder; another is refused with its number


@dataclass(frozen=True)
class LayerRecord:
    """One layer (a module with parameters of its own) in one watched step.

    gradient, weight, step: norms of ∂C/∂θ, θ before and Δθ over its parameters. delta: norm of ∂C
    by its output. relative_step: step / weight. predicted: Σ ∂C/∂θ Δθ over its parameters, its
    part of the predicted change of the loss; credit: its part of the real one, where asked for.
    activation_mean, activation_deviation: of its output after its activation; input_mean: of its
    pre-activation. dead, saturated, greedy: shares of its neurons (docs/watching.md). bias_mean,
    bias_step: mean of the bias and of its step. noise: estimated variance of the gradient over
    the squared norm of its mean. has_gradient: False where every gradient was None.
    """

    layer: str
    kind: str
    gradient: float | None = None
    weight: float | None = None
    step: float | None = None
    relative_step: float | None = None
    delta: float | None = None
    predicted: float | None = None
    credit: float | None = None
    activation_mean: float | None = None
    activation_deviation: float | None = None
    input_mean: float | None = None
    dead: float | None = None
    saturated: float | None = None
    greedy: float | None = None
    bias_mean: float | None = None
    bias_step: float | None = None
    noise: float | None = None
    has_gradient: bool = True
    frozen: bool = False


@dataclass(frozen=True)
class NeuronRecord:
    """Numbers of every neuron or channel of one layer, a list each (one number a neuron).

    pressure: δ summed over the batch (and positions). gradient: norm of its incoming gradient.
    step: norm of its incoming Δθ. mean: its mean activation. silent: the share of examples (and
    positions) on which its activation was 0.
    """

    layer: str
    pressure: tuple[float, ...] = ()
    gradient: tuple[float, ...] = ()
    step: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()
    silent: tuple[float, ...] = ()


@dataclass(frozen=True)
class GroupRecord:
    """A parameter group of an optimizer in one watched step."""

    optimizer: int
    group: int
    learning_rate: float
    gradient: float | None
    step: float | None
    weight: float | None


@dataclass(frozen=True)
class StepRecord:
    """One watched step. step: from 1, of the optimizer's own counting. seconds: since the start.

    loss: as given to the watch, None where it was not. predicted: Σ ∂C/∂θ Δθ. real: the loss of
    the same batch after the step minus before, where it was worked out again. skipped: the
    optimizer left the parameters (a GradScaler met inf).
    """

    step: int
    seconds: float
    loss: float | None
    predicted: float | None
    real: float | None
    examples: int | None
    skipped: bool
    layers: tuple[LayerRecord, ...]
    groups: tuple[GroupRecord, ...] = ()
    neurons: tuple[NeuronRecord, ...] = ()
    rank: int = 0


@dataclass(frozen=True)
class Finding:
    """Something that a rule found, stated with evidence and a likely remedy.

    rule: its name in docs/watching.md. step: at which it was found; since: from which it holds.
    facts: the numbers of the evidence, by name; the words are made from them (story/words).
    """

    rule: str
    layer: str
    step: int
    since: int
    facts: Mapping[str, Any] = field(default_factory=dict)
