"""An answer sheet to fill in: a symbol a row, as CSV or TOML."""

from __future__ import annotations

import numpy as np

from ..core.trace import LayerTrace, Trace
from ..errors import MiyaInputError

FORMS = ("csv", "toml")


def symbols(trace: Trace) -> list[str]:
    """Every number of a step that can be worked out by hand, in the order of the work."""
    many = trace.network.examples > 1
    forward, backward, update = [], [], []
    for layer in trace.layers:
        forward += _rows(f"z{layer.number}", layer, many) + _rows(f"a{layer.number}", layer, many)
    for layer in reversed(trace.layers):
        k = layer.number
        backward += _rows(f"∂C/∂a{k}", layer, many)
        if layer.slope is not None:
            backward += _rows(f"σ'{k}", layer, many)
        backward += _rows(f"δ{k}", layer, many)
        backward += _places(f"∂C/∂W{k}", layer.weight.gradient.shape)
        backward += _places(f"∂C/∂b{k}", layer.bias.gradient.shape)
    for layer in trace.layers:
        update += _places(f"W{layer.number}_new", layer.weight.after.shape)
        update += _places(f"b{layer.number}_new", layer.bias.after.shape)
    return [*forward, "C", *backward, *update]


def _rows(head: str, layer: LayerTrace, many: bool) -> list[str]:
    n, out = layer.z.shape
    return _places(head, (n, out) if many else (out,))


def _places(head: str, shape: tuple[int, ...]) -> list[str]:
    return [head + "".join(f"[{i}]" for i in index) for index in np.ndindex(*shape)]


def template(trace: Trace, form: str = "csv") -> str:
    """A sheet with every symbol and no value. Raises MiyaInputError E706 for another form."""
    if form == "csv":
        return "symbol,value\n" + "".join(f"{s},\n" for s in symbols(trace))
    if form == "toml":
        return "".join(f'"{s}" = ""\n' for s in symbols(trace))
    raise MiyaInputError("E706", f"the form of the sheet is {form!r}", hint="choose csv or toml")
