"""From a description (a dict, or a parsed file) to a Network. The one validator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import MiyaInputError, Path
from . import losses
from .choices import activation, known, loss, need, optimizer
from .network import Layer, Network
from .numbers_in import is_list, matrix, scalar, show, vector, warn
from .rounding import Array

KEYS = ("title", "learning_rate", "loss", "optimizer", "inputs", "layers", "examples")
LAYER_KEYS = ("name", "weight", "bias", "activation", "neurons", "trainable")
EXAMPLE_KEYS = ("input", "target", "name")
LONGEST_LABEL = 200
DTYPES = ("float64", "float32")


def network(description: Mapping[str, Any], *, dtype: str = "float64") -> Network:
    """A checked Network from its description (docs/network-file.md).

    Numbers may be int, float, Fraction, "1/3", or NumPy arrays. Raises MiyaInputError, whose
    path leads to the fault, and warns MiyaWarning of what is allowed but rarely meant.
    """
    if not isinstance(description, Mapping):
        raise MiyaInputError(
            "E206", f"the network is {show(description)}", hint="give a dict or a table"
        )
    if dtype not in DTYPES:
        raise MiyaInputError("E609", f"dtype is {dtype!r}", hint="choose float64 or float32")
    known(description, KEYS, "the network", ())
    layers = _layers(description)
    use = loss(description)
    how, rate = optimizer(description)
    inputs, targets, names, batch = _examples(description, layers, use)
    _check_pairing(layers, use)
    labels = _labels(description.get("inputs"), layers[0].inputs, "inputs", ("inputs",), "x")
    made = Network(
        tuple(layers),
        use,
        how,
        rate,
        inputs,
        targets,
        _label(description.get("title", ""), "title", ("title",)),
        labels,
        names,
        batch,
    )
    return made if dtype == "float64" else _narrow(made)


def _label(value: Any, where: str, path: Path) -> str:
    if not isinstance(value, str):
        raise MiyaInputError(
            "E216", f"{where} is {show(value)}, not a text", hint="put it in quotes", path=path
        )
    if len(value) > LONGEST_LABEL:
        raise MiyaInputError(
            "E216",
            f"{where} has {len(value)} characters",
            hint=f"use at most {LONGEST_LABEL}",
            path=path,
        )
    return value


def _labels(value: Any, count: int, where: str, path: Path, prefix: str) -> tuple[str, ...]:
    if value is None:
        return tuple(f"{prefix}{i}" for i in range(count))
    if not is_list(value) or len(value) != count:
        found = f"{len(value)} names" if is_list(value) else show(value)
        raise MiyaInputError(
            "E217", f"{where} has {found} for {count}", hint="give one name each", path=path
        )
    return tuple(_label(v, f"{where}[{i}]", (*path, i)) for i, v in enumerate(value))


def _tables(description: Mapping[str, Any], key: str, code: str, hint: str) -> list[Any]:
    value = description.get(key)
    if value is None or (is_list(value) and len(value) == 0):
        raise MiyaInputError(code, f"the network has no {key}", hint=hint, path=(key,))
    if not is_list(value) or not all(isinstance(v, Mapping) for v in value):
        raise MiyaInputError(
            "E206", f"{key} is no list of tables", hint=f"write [[{key}]]", path=(key,)
        )
    return list(value)


def _layers(description: Mapping[str, Any]) -> list[Layer]:
    tables = _tables(description, "layers", "E105", "add a [[layers]] table with a weight")
    layers: list[Layer] = []
    for k, table in enumerate(tables):
        layer = _layer(table, k, len(tables))
        if layers and layer.inputs != layers[-1].outputs:
            raise MiyaInputError(
                "E101",
                f"layer {k + 1}: weights expect {layer.inputs} inputs, "
                f"layer {k} has {layers[-1].outputs} outputs",
                hint="weights are (out, in): one row a neuron, one column an input",
                path=("layers", k, "weight"),
            )
        layers.append(layer)
    return layers


def _layer(table: Mapping[str, Any], k: int, count: int) -> Layer:
    where, path = f"layer {k + 1}", ("layers", k)
    known(table, LAYER_KEYS, where, path)
    given = need(table, "weight", where, path, "add weight = [[...]], one row a neuron")
    weight = matrix(given, f"{where}, weight", (*path, "weight"))
    bias = _bias(table, weight.shape[0], where, path)
    weight_mask, bias_mask = _trainable(table.get("trainable", True), weight, bias, where, path)
    return Layer(
        _label(table.get("name", _layer_name(k, count)), f"{where}, name", (*path, "name")),
        weight,
        bias,
        activation(table.get("activation", "identity"), where, (*path, "activation")),
        _labels(
            table.get("neurons"),
            weight.shape[0],
            f"{where}, neurons",
            (*path, "neurons"),
            _prefix(k, count),
        ),
        weight_mask,
        bias_mask,
    )


def _layer_name(k: int, count: int) -> str:
    if k == count - 1:
        return "output"
    return "hidden" if count == 2 else f"hidden{k + 1}"


def _prefix(k: int, count: int) -> str:
    if k == count - 1:
        return "o"
    return "h" if count == 2 else f"h{k + 1}."


def _bias(table: Mapping[str, Any], outputs: int, where: str, path: Path) -> Array:
    hint = "add bias = [0, 0, ...], or one number that the whole layer shares"
    given = need(table, "bias", where, path, hint)
    if not is_list(given):
        return np.array([scalar(given, f"{where}, bias", (*path, "bias"))])
    bias = vector(given, f"{where}, bias", (*path, "bias"))
    if len(bias) != outputs:
        raise MiyaInputError(
            "E102",
            f"{where}: bias has {len(bias)} values for {outputs} neurons",
            hint="give one bias a neuron",
            path=(*path, "bias"),
        )
    return bias


def _trainable(
    value: Any, weight: Array, bias: Array, where: str, path: Path
) -> tuple[Array, Array]:
    path = (*path, "trainable")
    if isinstance(value, Mapping):
        known(value, ("weight", "bias"), f"{where}, trainable", path)
        parts = value.get("weight", True), value.get("bias", True)
    else:
        parts = value, value
        if not isinstance(value, bool):
            raise _bad_mask(f"{where}, trainable", value, path)
    masks = []
    for key, part, array in zip(("weight", "bias"), parts, (weight, bias), strict=True):
        masks.append(_mask(part, array.shape, f"{where}, trainable.{key}", (*path, key)))
    return masks[0], masks[1]


def _mask(value: Any, shape: tuple[int, ...], where: str, path: Path) -> Array:
    if isinstance(value, bool):
        return np.full(shape, value)
    try:
        mask = np.array(value)
    except ValueError:
        raise _bad_mask(where, value, path) from None
    if mask.dtype != bool or mask.shape != shape:
        raise _bad_mask(where, value, path, shape)
    return mask


def _bad_mask(
    where: str, value: Any, path: Path, shape: tuple[int, ...] | None = None
) -> MiyaInputError:
    size = f" of shape {shape}" if shape else ""
    return MiyaInputError(
        "E218",
        f"{where} is {show(value)}",
        hint=f"write true, false, or true and false in an array{size}",
        path=path,
    )


def _examples(
    description: Mapping[str, Any], layers: list[Layer], loss: losses.Loss
) -> tuple[Array, Array, tuple[str, ...], bool]:
    hint = "add an [[examples]] table with input and target"
    tables = _tables(description, "examples", "E212", hint)
    inputs, targets, names = [], [], []
    for n, table in enumerate(tables):
        where, path = f"example {n + 1}", ("examples", n)
        known(table, EXAMPLE_KEYS, where, path)
        given = need(table, "input", where, path, "add input = [...]")
        x = vector(given, f"{where}, input", (*path, "input"))
        if len(x) != layers[0].inputs:
            raise MiyaInputError(
                "E101",
                f"layer 1: weights expect {layers[0].inputs} inputs, x has {len(x)}"
                + (f" in {where}" if len(tables) > 1 else ""),
                hint="weights are (out, in): one column for each input",
                path=(*path, "input"),
            )
        inputs.append(x)
        given = need(table, "target", where, path, "add target = [...]")
        targets.append(_target(given, layers[-1].outputs, loss, where, (*path, "target")))
        names.append(_label(table.get("name", ""), f"{where}, name", (*path, "name")))
    return np.stack(inputs), np.stack(targets), tuple(names), len(tables) > 1


def _target(value: Any, outputs: int, loss: losses.Loss, where: str, path: Path) -> Array:
    where = f"{where}, target"
    if loss.kind.target == "classes" and (not is_list(value) or len(value) == 1 < outputs):
        return _class(value[0] if is_list(value) else value, outputs, where, path)
    y = vector(value if is_list(value) else [value], where, path)
    if len(y) != outputs:
        raise MiyaInputError(
            "E106",
            f"{where} has {len(y)} value{'' if len(y) == 1 else 's'}, "
            f"the last layer has {outputs} outputs",
            hint="give one target an output; targets are never repeated to fit",
            path=path,
        )
    if loss.kind.target == "number":
        return y
    for i, p in enumerate(y.tolist()):
        if not 0 <= p <= 1:
            raise MiyaInputError(
                "E305",
                f"{where}[{i}] is {p:g}; {loss.name} needs targets from 0 to 1",
                hint="soft labels between 0 and 1 are allowed",
                path=(*path, i) if is_list(value) else path,
            )
    if loss.kind.target == "classes" and abs(float(y.sum()) - 1) > 1e-9:
        raise MiyaInputError(
            "E307",
            f"{where} sums to {y.sum():g}, not 1",
            hint="give probabilities that sum to 1, or the class as one number",
            path=path,
        )
    return y


def _class(value: Any, outputs: int, where: str, path: Path) -> Array:
    number = scalar(value, where, path)
    if number != int(number) or not 0 <= number < outputs:
        raise MiyaInputError(
            "E306",
            f"{where} is class {number:g} of {outputs}",
            hint=f"classes are 0..{outputs - 1}",
            path=path,
        )
    one_hot = np.zeros(outputs)
    one_hot[int(number)] = 1
    return one_hot


def _check_pairing(layers: list[Layer], loss: losses.Loss) -> None:
    """Losses on probabilities need them; losses on logits are rarely meant on probabilities."""
    last = layers[-1].activation.name
    path: Path = ("layers", len(layers) - 1, "activation")
    if loss.name == "binary_cross_entropy" and last not in ("sigmoid", "softmax"):
        raise MiyaInputError(
            "E315",
            f"binary_cross_entropy needs outputs from 0 to 1, and {last} gives others",
            hint="use sigmoid, or loss = binary_cross_entropy_with_logits",
            path=path,
        )
    if loss.name == "cross_entropy" and last == "softmax":
        warn(
            "W308",
            "softmax is applied twice: the last layer's, and the one in cross_entropy, which "
            "takes logits. Use activation identity",
        )
    if loss.name == "binary_cross_entropy_with_logits" and last == "sigmoid":
        warn(
            "W308",
            "sigmoid is applied twice: the last layer's, and the one in "
            "binary_cross_entropy_with_logits. Use activation identity",
        )


def _narrow(wide: Network) -> Network:
    """The network in float32; W210 names the first number that it stores as another."""
    from dataclasses import replace

    told = False
    values = {}
    for name, value in wide.parameters().items():
        with np.errstate(over="ignore"):
            values[name] = value.astype(np.float32)
        told = told or _tell_narrowed(name, value, values[name])
    made = wide.with_parameters(values)
    with np.errstate(over="ignore"):
        x, y = wide.inputs.astype(np.float32), wide.targets.astype(np.float32)
    if not told:
        _tell_narrowed("input", wide.inputs, x)
    return replace(made, inputs=x, targets=y)


def _tell_narrowed(name: str, wide: Array, narrow: Array) -> bool:
    bad = np.argwhere(~np.isfinite(narrow))
    if len(bad):
        index = tuple(bad[0])
        raise MiyaInputError(
            "E202",
            f"{name}{[int(i) for i in index]} is {wide[index]:g}, outside float32",
            hint="use float64",
        )
    # only whole numbers: that 0.1 is no exact float32 is no news
    lost = np.argwhere((wide == np.round(wide)) & (narrow.astype(np.float64) != wide))
    if not len(lost):
        return False
    index = tuple(lost[0])
    place = "".join(f"[{i}]" for i in index)
    warn("W210", f"{name}{place} is {wide[index]:.0f}, stored as {narrow[index]:.0f} in float32")
    return True
