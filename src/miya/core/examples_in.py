"""Examples as people give them: a list of tables, or one table of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..errors import MiyaInputError, Path
from .choices import known, need
from .labels import label, labels, tables
from .losses import Loss
from .numbers_in import count, is_list, matrix, plain, scalar, shape_of, vector
from .rounding import Array

KEYS = ("input", "target", "name")
SUM_NOISE = 1e-6  # probabilities in float32 miss 1 by less
Place = Callable[[int], tuple[str, Path]]  # a row's name in messages, and its path


class Examples(NamedTuple):
    """inputs (n, in) and targets (n, out), float64, class targets one-hot; a name each."""

    inputs: Array
    targets: Array
    names: tuple[str, ...]


def examples(description: Mapping[str, Any], inputs: int, outputs: int, loss: Loss) -> Examples:
    """The examples of a description, for a network of `inputs` and `outputs`.

    Raises MiyaInputError E101, E106, E107, E108, E305 to E307, and as `numbers_in`.
    """
    if isinstance(description.get("examples"), Mapping):
        return _arrays(description["examples"], inputs, outputs, loss)
    given = tables(description, "examples", "E212", "add an [[examples]] table with input, target")
    rows = [_one(table, k, inputs, outputs, loss) for k, table in enumerate(given)]
    x, y, names = zip(*rows, strict=True)

    def place(k: int) -> tuple[str, Path]:
        return f"example {k + 1}, target", ("examples", k, "target")

    return Examples(np.stack(x), _checked(np.stack(y), loss, place), names)


def _one(
    table: Mapping[str, Any], k: int, inputs: int, outputs: int, loss: Loss
) -> tuple[Array, Array, str]:
    where, path = f"example {k + 1}", ("examples", k)
    known(table, KEYS, where, path)
    given = need(table, "input", where, path, "add input = [...]")
    x = vector(given, f"{where}, input", (*path, "input"), inputs)
    _check_inputs(len(x), inputs, f"x has {len(x)} in {where}", (*path, "input"))
    given = need(table, "target", where, path, "add target = [...]")
    y = _target(given, outputs, loss, f"{where}, target", (*path, "target"))
    return x, y, label(table.get("name", ""), f"{where}, name", (*path, "name"))


def _check_inputs(found: int, inputs: int, what: str, path: Path) -> None:
    if found != inputs:
        raise MiyaInputError(
            "E101",
            f"layer 1: weights expect {count(inputs, 'input')}, {what}",
            hint="weights are (out, in): one column for each input",
            path=path,
        )


def _target(value: Any, outputs: int, loss: Loss, where: str, path: Path) -> Array:
    """(out,) of one example's target: a list, a number for one output, or a class."""
    value = plain(value, where, path)
    classes = loss.kind.target == "classes"
    if not is_list(value):
        number = scalar(value, where, path)
        if classes:
            return _class(number, outputs, where, path)
        y = np.array([number])
    else:
        y = vector(value, where, path, outputs)
    if classes and len(y) == 1 < outputs:
        return _class(float(y[0]), outputs, where, (*path, 0))
    _check_outputs(len(y), outputs, where, path)
    return y


def _check_outputs(found: int, outputs: int, where: str, path: Path) -> None:
    if found != outputs:
        raise MiyaInputError(
            "E106",
            f"{where} has {count(found, 'value')}, the last layer has {count(outputs, 'output')}",
            hint="give one target an output; targets are never repeated to fit",
            path=path,
        )


def _arrays(table: Mapping[str, Any], inputs: int, outputs: int, loss: Loss) -> Examples:
    """One table: input (n, in); target (n, out), or (n,) of classes or of one output's targets."""
    where, path = "examples", ("examples",)
    known(table, KEYS, where, path)
    given = need(table, "input", where, path, "add input = [[...], [...]], one row an example")
    hint = "give one row of numbers an example, or write [[examples]] for each"
    x = matrix(given, "examples, input", (*path, "input"), wanted=("n", inputs), hint=hint)
    _check_inputs(x.shape[1], inputs, f"x has {x.shape[1]}", (*path, "input"))
    given = need(table, "target", where, path, "add target = [[...], [...]], one row an example")
    y = _rows(given, outputs, loss, (*path, "target"), hint)
    if len(y) != len(x):
        raise MiyaInputError(
            "E108",
            f"examples: input has {count(len(x), 'row')}, target has {len(y)}",
            hint="give one target for each input",
            path=(*path, "target"),
        )
    names = labels(table.get("name"), len(x), "examples, name", (*path, "name"), lambda i: "")
    return Examples(x, _checked(y, loss, _row_place), names)


def _row_place(k: int) -> tuple[str, Path]:
    return f"example {k + 1}, target", ("examples", "target", k)


def _rows(value: Any, outputs: int, loss: Loss, path: Path, hint: str) -> Array:
    """(n, out) from the target of a table of arrays."""
    where = "examples, target"
    value = plain(value, where, path)
    classes = loss.kind.target == "classes"
    if len(shape_of(value) or (0, 0)) == 1:
        flat = vector(value, where, path)
        if classes:
            return _one_hot(flat, outputs, _row_place)
        if outputs == 1:
            return flat[:, None]
        raise MiyaInputError(
            "E106",
            f"{where} has one value an example, the last layer has {outputs} outputs",
            hint="give one target an output; targets are never repeated to fit",
            path=path,
        )
    y = matrix(value, where, path, wanted=("n", outputs), hint=hint)
    if classes and y.shape[1] == 1 < outputs:
        return _one_hot(y[:, 0], outputs, _row_place)
    _check_outputs(y.shape[1], outputs, f"{where}: each row", path)
    return y


def _class(number: float, outputs: int, where: str, path: Path) -> Array:
    return np.asarray(_one_hot(np.array([number]), outputs, lambda k: (where, path))[0])


def _one_hot(classes: Array, outputs: int, place: Place) -> Array:
    """(n, out) with 1 at each class. Raises MiyaInputError E306."""
    wrong = (classes != np.floor(classes)) | (classes < 0) | (classes >= outputs)
    if wrong.any():
        k = int(wrong.argmax())
        where, path = place(k)
        raise MiyaInputError(
            "E306",
            f"{where} is class {classes[k]:g} of {outputs}",
            hint=f"classes are 0..{outputs - 1}",
            path=path,
        )
    made = np.zeros((len(classes), outputs))
    made[np.arange(len(classes)), classes.astype(int)] = 1
    return made


def _checked(y: Array, loss: Loss, place: Place) -> Array:
    """`y` (n, out) where it suits the loss. Raises MiyaInputError E305, E307."""
    if loss.kind.target == "number":
        return y
    outside = (y < 0) | (y > 1)
    if outside.any():
        k, i = (int(v) for v in np.argwhere(outside)[0])
        where, path = place(k)
        raise MiyaInputError(
            "E305",
            f"{where}[{i}] is {y[k, i]:g}; {loss.name} needs targets from 0 to 1",
            hint="soft labels between 0 and 1 are allowed",
            path=(*path, i),
        )
    if loss.kind.target == "classes":
        off = np.abs(y.sum(axis=1) - 1) > SUM_NOISE
        if off.any():
            k = int(off.argmax())
            where, path = place(k)
            raise MiyaInputError(
                "E307",
                f"{where} sums to {y[k].sum():g}, not 1",
                hint="give probabilities that sum to 1, or the class as one number",
                path=path,
            )
    return y
