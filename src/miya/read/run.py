"""The JSON lines file of a training run (`miya train NET -o RUN.jsonl`), read back line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..core.rounding import Array
from ..core.run import RunLayer, RunParameter, RunStep
from ..errors import MiyaInputError

MAKE = "write one with: miya train NET --steps 100 -o RUN.jsonl"
KEYS = ("step", "loss", "layers")


def read_run(path: str | Path) -> Iterator[RunStep]:
    """The steps of a run, in their order, one line held at a time.

    Raises MiyaInputError whose `place` is file:line: E642 for a file that cannot be read or is
    empty, E643 for a line that is no step, E644 for steps that do not follow one another.
    """
    path = Path(path)
    last: RunStep | None = None
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                step = _step(line, f"{path}:{number}")
                _follows(last, step, f"{path}:{number}")
                yield step
                last = step
    except OSError as error:
        raise MiyaInputError(
            "E642", f"cannot read {path}: {error.strerror or error}", hint="name a file there is"
        ) from error
    except UnicodeDecodeError as error:
        raise MiyaInputError("E643", f"{path} is not UTF-8 text", hint=MAKE) from error
    if last is None:
        raise MiyaInputError("E642", f"{path} holds no steps", hint=MAKE)


def _step(line: str, place: str) -> RunStep:
    try:
        data = json.loads(line, parse_constant=_no_number)
    except RecursionError:
        _refuse("the line is not JSON of a step: it nests too deep", place, MAKE)
    except ValueError as error:
        _refuse(f"the line is not JSON: {error}", place, "it was cut or edited; train again")
    if not isinstance(data, dict) or any(key not in data for key in KEYS):
        _refuse(f"the line is no step: {_cut(line.strip())}", place, MAKE)
    number = data["step"]
    if type(number) is not int or number < 1:
        _refuse(f"step is {_short(number)}, not a whole number from 1", place, MAKE)
    loss = _array(data["loss"], "loss", place, 0)
    layers = data["layers"]
    if not isinstance(layers, list) or not layers:
        _refuse(f"layers is {_short(layers)}, not a list of layers", place, MAKE)
    return RunStep(
        number, float(loss), tuple(_layer(v, f"layers[{k}]", place) for k, v in enumerate(layers))
    )


def _layer(data: Any, where: str, place: str) -> RunLayer:
    parts = {}
    for name, dimensions in (("weight", 2), ("bias", 1)):
        found = _get(data, name, where, place)
        parts[name] = RunParameter(
            *(
                _array(
                    _get(found, key, f"{where}.{name}", place), f"{where}.{name}.{key}", place, d
                )
                for key, d in (("gradient", dimensions), ("change", dimensions))
            )
        )
    delta = _array(_get(data, "delta", where, place), f"{where}.delta", place, 2)
    weight, bias = parts["weight"], parts["bias"]
    outputs = delta.shape[1]
    fits = (
        weight.gradient.shape == weight.change.shape
        and bias.gradient.shape == bias.change.shape
        and weight.gradient.shape[0] == outputs
        and bias.gradient.shape[0] in (1, outputs)
    )
    if not fits:
        _refuse(f"the shapes in {where} do not fit together", place, MAKE)
    return RunLayer(str(_get(data, "name", where, place)), delta, weight, bias)


def _get(data: Any, key: str, where: str, place: str) -> Any:
    if not isinstance(data, dict) or key not in data:
        _refuse(f"{where} has no {key}", place, MAKE)
    return data[key]


def _array(value: Any, where: str, place: str, dimensions: int) -> Array:
    """Finite numbers as float64; booleans and texts are refused."""
    try:
        found = np.array(value)
    except ValueError:
        found = np.array(None)
    if found.dtype.kind not in "iuf" or found.ndim != dimensions or not found.size:
        kinds = ("a number", "a list of numbers", "rows of numbers")
        _refuse(f"{where} is {_short(value)}, not {kinds[dimensions]}", place, MAKE)
    found = found.astype(np.float64)
    if not np.isfinite(found).all():
        _refuse(f"{where} holds a number outside float64", place, MAKE)
    return found


def _follows(last: RunStep | None, step: RunStep, place: str) -> None:
    if last is None:
        return
    if step.number <= last.number:
        raise MiyaInputError(
            "E644",
            f"step {step.number} comes after step {last.number}",
            hint="keep one run in a file, its steps in order",
            place=place,
        )
    if _shapes(step) != _shapes(last):
        raise MiyaInputError(
            "E644",
            f"the layers of step {step.number} are not those of step {last.number}",
            hint="keep one run in a file",
            place=place,
        )


def _shapes(step: RunStep) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.name, layer.weight.gradient.shape) for layer in step.layers]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _short(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def _refuse(what: str, place: str, hint: str) -> NoReturn:
    raise MiyaInputError("E643", what, hint=hint, place=place)
