"""Miya shows exactly how backprop blames every weight, bias and neuron for the loss.

A network is a TOML or JSON file, or the same as a dict:

>>> import miya
>>> net = {
...     "learning_rate": 0.1,
...     "loss": "squared_error",
...     "layers": [
...         {"weight": [[0.5, -0.25]], "bias": [0.1], "activation": "sigmoid"},
...     ],
...     "examples": [{"input": [1, 2], "target": [1]}],
... }
>>> told = miya.explain(net)
>>> round(told.trace.loss, 6)
0.225645

`print(told)` tells the whole story; `told.markdown()`, `told.latex()` and `told.json()` give it
in other forms. Every number is in `told.trace`, layer by layer, as NumPy arrays:

>>> told.trace.layers[0].delta.shape  # (examples, neurons)
(1, 1)

Who is to blame, by a named measure (pressure, step, credit or removal):

>>> row = miya.blame(net, measure="pressure").parameters[0]
>>> row.kind, row.layer, row.index
('weight', 1, (0, 1))

The diagram, with Miya on each neuron; `save` writes SVG, PNG, PDF, GIF or WebP:

>>> miya.draw(net).svg().count('class="neuron"')
1

Why one number is what it is, term by term down to the loss (docs/why.md); the same of any
torch.nn.Module, with `miya.explain(model, inputs, target, loss=..., optimizer=...)`
(docs/models.md):

>>> why = miya.why(told.trace, "W1[0,1]")
>>> [level.value.name for level in why.answer.levels]
['weight1', 'z1', 'a1']

The same as a page to play with, in a notebook: `miya.play(net)` (docs/playground.md).

Many steps, each traced in full:

>>> [trace.number for trace in miya.train(net, steps=3)]
[1, 2, 3]

What is wrong with a network is said by a MiyaInputError whose text names the place and what
to do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import (
        Checked,
        Explanation,
        ModelExplanation,
        Why,
        blame,
        check,
        compare,
        draw,
        explain,
        load,
        page,
        plot,
        train,
        why,
    )
    from .core.model import ModelTrace
    from .core.network import Network
    from .core.trace import Trace
    from .errors import MiyaError, MiyaInputError, MiyaWarning
    from .per_example.blame import blame_examples
    from .render.worksheet import worksheet
    from .watching.starting import watch
    from .web.widget import play

__version__ = "0.1.0"
__all__ = [
    "Checked",
    "Explanation",
    "MiyaError",
    "MiyaInputError",
    "MiyaWarning",
    "ModelExplanation",
    "ModelTrace",
    "Network",
    "Trace",
    "Why",
    "blame",
    "blame_examples",
    "check",
    "compare",
    "draw",
    "explain",
    "load",
    "page",
    "play",
    "plot",
    "train",
    "watch",
    "why",
    "worksheet",
]

# imported where first used, so that `import miya` and `miya --version` load no NumPy
_HOMES = {
    "Checked": ".api",
    "check": ".api",
    "compare": ".api",
    "Explanation": ".api",
    "ModelExplanation": ".api",
    "ModelTrace": ".core.model",
    "Why": ".api",
    "blame": ".api",
    "blame_examples": ".per_example.blame",
    "draw": ".api",
    "explain": ".api",
    "load": ".api",
    "page": ".api",
    "play": ".web.widget",
    "plot": ".api",
    "train": ".api",
    "watch": ".watching.starting",
    "why": ".api",
    "worksheet": ".render.worksheet",
    "Network": ".core.network",
    "Trace": ".core.trace",
    "MiyaError": ".errors",
    "MiyaInputError": ".errors",
    "MiyaWarning": ".errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'miya' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
