"""What one watched step saw, as plain numbers: collectors make it, rules and sinks read it.

Definitions are those of the Trace (docs/blame.md): pressure is ∂C/∂θ, δ is ∂C/∂z summed over the
examples of the batch, step is Δθ. Norms are Euclidean. A number that was not measured is None,
never 0; of a list of numbers it is an empty array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
FORMAT = 1  # of a run folder; another is refused with its number


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class LayerRecord:
    """One layer (a module with parameters of its own) in one watched step.

    gradient, weight, step: norms of ∂C/∂θ, θ before and Δθ over its parameters. delta: norm of ∂C
    by its output. relative_step: step / weight. predicted: Σ ∂C/∂θ Δθ over its parameters, its
    part of the predicted change of the loss; credit: its part of the real one, where asked for.
    activation: the function that reads its output, as far as known. activation_mean,
    activation_deviation: of its output after that function; input_mean: of its pre-activation.
    dead, saturated, greedy: shares of its neurons (docs/watching.md); greediest: the largest share
    of Σ|δ| that one neuron takes. sample: how many rows (examples, positions) of its output the
    activations' numbers are of. bias_mean, bias_step: mean of the bias and of its step. noise:
    estimated variance of Σδ over the examples of the batch, over the squared norm of its mean.
    has_gradient: False where every gradient was None. nonfinite: what of it was not finite
    ("output", "gradient", "weight"), empty where all was.
    held: whether an optimizer holds one of its parameters. kept: True where the gradient of the
    step before was still there, unchanged, when this step's first δ came. flat: the share of the
    sampled activations, over rows and neurons, whose slope is below 1 % of the steepest.
    input_share: of the squared change of the first layer's weight (a Linear's) since the watch
    began, the largest share that one input (column) has; input_most: which, from 0; input_lead:
    how many times the next largest it is; not on every watched step. unrolled: norm of δ by the
    output of its first call over that of its last, of a layer called at least 4 times in a pass.
    age: how many steps ago what is told of its activations, δ, pressures and noise was read; 0: in
    this one, more where it rests (docs/watching.md).
    For the ranks of a training to be merged: examples: how many passed through it, over all its
    calls; example_delta: root of the sum, over them, of the squared norm of what each adds to Σδ;
    last_delta: norm of δ by the output of its last call, where there is `unrolled`. split: how its
    parameters are split among ranks ("rows", "parts"), so that gradient, weight, step,
    relative_step, predicted and the bias's means are of this rank's part; biases: how many numbers
    of the bias that has.
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
    activation: str | None = None
    greediest: float | None = None
    sample: int | None = None
    nonfinite: str = ""
    held: bool = True
    kept: bool = False
    flat: float | None = None
    input_share: float | None = None
    input_most: int | None = None
    input_lead: float | None = None
    unrolled: float | None = None
    examples: int | None = None
    example_delta: float | None = None
    last_delta: float | None = None
    age: int = 0
    split: str = ""
    biases: int | None = None


@dataclass(frozen=True, eq=False)
class NeuronRecord:
    """Numbers of every neuron or channel of one layer, a float64 array each (one number a neuron;
    empty where it was not measured).

    pressure: δ summed over the batch (and positions). gradient: norm of its incoming gradient.
    step: norm of its incoming Δθ. mean: its mean activation. silent: the share of sampled rows
    (examples, positions) on which its activation was 0. flat: the share of them on which its slope
    was below 1 % of the steepest, of activations that saturate on both sides.
    """

    layer: str
    pressure: Array = field(default_factory=_none)
    gradient: Array = field(default_factory=_none)
    step: Array = field(default_factory=_none)
    mean: Array = field(default_factory=_none)
    silent: Array = field(default_factory=_none)
    flat: Array = field(default_factory=_none)


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
