"""From a description (a dict, or a parsed file) to a Network. The one validator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import MiyaInputError, Path
from .choices import activation, known, loss, need, optimizer
from .examples_in import examples
from .labels import label, labels, tables
from .losses import Loss
from .narrow import narrow
from .network import Layer, Network
from .numbers_in import count, is_list, matrix, plain, scalar, show, vector, warn
from .rounding import Array

KEYS = ("title", "learning_rate", "loss", "optimizer", "inputs", "layers", "examples")
LAYER_KEYS = ("name", "weight", "bias", "activation", "neurons", "trainable")
DTYPES = ("float64", "float32")


def network(description: Mapping[str, Any], *, dtype: str = "float64") -> Network:
    """A checked Network from its description (docs/network-file.md).

    Numbers may be int, float, Decimal, Fraction, "1/3", or NumPy arrays. Raises
    MiyaInputError, whose path leads to the fault, and warns MiyaWarning of what is allowed but
    rarely meant.
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
    given = examples(description, layers[0].inputs, layers[-1].outputs, use)
    _check_pairing(layers, use)
    names = description.get("inputs")
    made = Network(
        tuple(layers),
        use,
        how,
        rate,
        given.inputs,
        given.targets,
        label(description.get("title", ""), "title", ("title",)),
        labels(names, layers[0].inputs, "inputs", ("inputs",), lambda i: f"x{i}"),
        given.names,
        len(given.inputs) > 1,
    )
    return made if dtype == "float64" else narrow(made)


def _layers(description: Mapping[str, Any]) -> list[Layer]:
    given = tables(description, "layers", "E105", "add a [[layers]] table with a weight")
    layers: list[Layer] = []
    for k, table in enumerate(given):
        layer = _layer(table, k, len(given))
        if layers and layer.inputs != layers[-1].outputs:
            raise MiyaInputError(
                "E101",
                f"layer {k + 1}: weights expect {count(layer.inputs, 'input')}, "
                f"layer {k} has {count(layers[-1].outputs, 'output')}",
                hint="weights are (out, in): one row a neuron, one column an input",
                path=("layers", k, "weight"),
            )
        layers.append(layer)
    return layers


def _layer(table: Mapping[str, Any], k: int, number: int) -> Layer:
    where, path = f"layer {k + 1}", ("layers", k)
    known(table, LAYER_KEYS, where, path)
    given = need(table, "weight", where, path, "add weight = [[...]], one row a neuron")
    weight = matrix(given, f"{where}, weight", (*path, "weight"))
    bias = _bias(table, weight.shape[0], where, path)
    weight_mask, bias_mask = _trainable(table.get("trainable", True), weight, bias, where, path)
    return Layer(
        label(table.get("name", _layer_name(k, number)), f"{where}, name", (*path, "name")),
        weight,
        bias,
        activation(table.get("activation", "identity"), where, (*path, "activation")),
        labels(
            table.get("neurons"),
            weight.shape[0],
            f"{where}, neurons",
            (*path, "neurons"),
            lambda i: f"{_prefix(k, number)}{i}",
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
    given = plain(need(table, "bias", where, path, hint), f"{where}, bias", (*path, "bias"))
    if not is_list(given):
        return np.array([scalar(given, f"{where}, bias", (*path, "bias"))])
    bias = vector(given, f"{where}, bias", (*path, "bias"), outputs)
    if len(bias) != outputs:
        raise MiyaInputError(
            "E102",
            f"{where}: bias has {count(len(bias), 'value')} for {count(outputs, 'neuron')}",
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
        if not isinstance(value, bool | np.bool_):
            raise _bad_mask(f"{where}, trainable", value, path)
    masks = []
    for key, part, array in zip(("weight", "bias"), parts, (weight, bias), strict=True):
        masks.append(_mask(part, array.shape, f"{where}, trainable.{key}", (*path, key)))
    return masks[0], masks[1]


def _mask(value: Any, shape: tuple[int, ...], where: str, path: Path) -> Array:
    if isinstance(value, bool | np.bool_):
        return np.full(shape, bool(value))
    try:
        mask = np.array(plain(value, where, path))
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


def _check_pairing(layers: list[Layer], loss: Loss) -> None:
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
            f"layer {len(layers)}: softmax is applied twice: the last layer's, and the one in "
            "cross_entropy, which takes logits. Use activation identity",
        )
    if loss.name == "binary_cross_entropy_with_logits" and last == "sigmoid":
        warn(
            "W308",
            f"layer {len(layers)}: sigmoid is applied twice: the last layer's, and the one in "
            "binary_cross_entropy_with_logits. Use activation identity",
        )
