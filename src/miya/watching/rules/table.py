"""Every rule: where it is from, its limits, and what looks for it. docs/watching.md tells them."""

from __future__ import annotations

from functools import partial

from .broken import NotFinite
from .depth import Beginning, Growth
from .leak import Leak
from .learning_rate import LearningRate
from .missing import Kept, Still
from .neurons import Dead, Saturated
from .rule import Rule
from .slow import Drift, Noise
from .spikes import Recurrence, Spikes

EXPLODED = {
    "exploding_gaps": 2,
    "exploding_each": 1.5,
    "exploding_whole": 1000,
    "exploding_short": 20,
    "exploding_fast": 3,
}
VANISHED = {
    "vanishing_gaps": 2,
    "vanishing_each": 0.5,
    "vanishing_whole": 1e-3,
    "vanishing_short": 0.01,
    "vanishing_fast": 0.1,
}
EXPLODING = {"window": 5, "gaps": 2, "each": 1.5, "whole": 1000}
VANISHING = {"window": 5, "gaps": 2, "each": 0.5, "whole": 1e-3}
RULES = (
    Rule("not_finite", "IEEE 754-2019, section 6", {}, NotFinite, broken=True, always=True),
    Rule(
        "learning_rate",
        "the descent lemma (Nesterov 2004, section 1.2.3); arXiv 2103.00065; "
        "a step of 0.001 times the weight is usual (cs231n, ratio of weights to updates)",
        {"window": 5, "most": 4, "promise": 0.5, "relative_step": 0.5, "risen": 1.5, "settled": 10},
        LearningRate,
        broken=True,
    ),
    Rule(
        "initialisation",
        "Glorot & Bengio 2010; He et al., arXiv 1502.01852",
        {"window": 2, "alike": 1e-6, **EXPLODED, **VANISHED},
        Beginning,
    ),
    Rule("exploding", "Glorot & Bengio 2010", EXPLODING, partial(Growth, "exploding")),
    Rule("vanishing", "Glorot & Bengio 2010", VANISHING, partial(Growth, "vanishing")),
    Rule(
        "dead_neurons",
        "Lu et al., arXiv 1903.06733",
        {"share": 0.4, "window": 8, "steps": 50, "rows": 256, "relative_step": 0.1},
        Dead,
    ),
    Rule("saturated", "Glorot & Bengio 2010, section 3", {"flat": 0.6, "window": 5}, Saturated),
    Rule(
        "frozen_layer",
        "torch.autograd, Locally disabling gradient computation",
        {"window": 5, "learning": 0.5},
        Still,
    ),
    Rule("zero_grad", "torch.optim.Optimizer.zero_grad", {"window": 2, "whole": 1.0}, Kept),
    Rule(
        "label_leak",
        "Kaufman et al. 2012, Leakage in data mining",
        {"window": 5, "lead": 4, "looks": 3, "fallen": 0.05},
        Leak,
        always=True,
    ),
    Rule(
        "recurrence",
        "Pascanu et al., arXiv 1211.5063",
        {"window": 8, "factor": 100},
        Recurrence,
    ),
    Rule(
        "gradient_spikes",
        "Pascanu et al., arXiv 1211.5063, section 3.2",
        {"window": 32, "early": 5, "factor": 100, "beginning": 10, "times": 2},
        Spikes,
    ),
    Rule(
        "bias_drift",
        "Lu et al., arXiv 1903.06733; Ioffe & Szegedy, arXiv 1502.03167",
        {"window": 20, "deviations": 3},
        Drift,
    ),
    Rule(
        "gradient_noise",
        "McCandlish et al., arXiv 1812.06162",
        {"window": 50, "steps": 300, "early": 5, "noise": 10, "often": 0.4, "fallen": 0.02},
        Noise,
    ),
)
