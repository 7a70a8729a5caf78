"""Edits of a network, each a pure function from a description and its own keys to a new one.

EDITS is the table: the page's every change is one of its names. A result is checked whole by the
one validator before anybody sees it, so an edit only has to say what it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.network import Network
from ..errors import MiyaInputError
from .fields import typed, whole
from .state import State, copied, network_of, with_rows

Description = dict[str, Any]
MOST_WIDE, MOST_DEEP = 64, 12
EDITABLE = ("learning_rate", "title", "layers", "examples", "optimizer", "loss", "inputs")


def edited(state: State, edit: Mapping[str, Any]) -> tuple[State, Network]:
    """A new state after the edit {"kind": ..., ...}, and its network; the old is left as it was.

    Raises MiyaInputError E804 for an unknown kind, and whatever the edit itself refuses. Weights
    that change shape start training anew: the optimizer's state of them is dropped.
    """
    kind = edit.get("kind")
    make = EDITS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise MiyaInputError(
            "E804", f"the edit is {kind!r}"[:200], hint=f"choose one of {', '.join(EDITS)}"
        )
    network_of(state)  # what it changes is sound, and so must be what it makes
    draw = Draw(state["seed"])
    description = make(with_rows(state["network"]), edit, draw)
    network = network_of({"network": description})
    found = {**state, "network": description, "seed": draw.seed}
    if shapes(description) != shapes(state["network"]):
        found |= {"initial": copied(description["layers"]), "steps": 0, "memory": {}}
    elif state["steps"] == 0:
        found["initial"] = copied(description["layers"])
    elif description.get("optimizer") != state["network"].get("optimizer"):
        found["memory"] = {}
    shown = found["shown"]["example"]
    if shown != "sum" and shown >= len(description["examples"]):
        found["shown"] = {**found["shown"], "example": 0}
    return found, network


class Draw:
    """Draws new weights; each asking uses up one seed, so that a link draws the same again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def weights(self, *shape: int) -> Any:
        """(out, in) or (n,): uniform in ±√(1 / in), as torch's Linear, to three decimals."""
        rng = np.random.default_rng(self.seed)
        self.seed += 1
        bound = 1 / np.sqrt(max(shape[-1], 1))
        return np.round(rng.uniform(-bound, bound, shape), 3).tolist()


def shapes(description: Mapping[str, Any]) -> list[tuple[int, int, bool]]:
    """Of each layer: neurons, inputs, and whether its bias is one shared number."""
    return [
        (len(layer["weight"]), len(layer["weight"][0]), not isinstance(layer["bias"], list))
        for layer in description["layers"]
    ]


def _set(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    """path: keys and 0-based indices to one number or text; value: what was typed."""
    path = edit.get("path")
    if not isinstance(path, list) or not path or path[0] not in EDITABLE:
        raise _no_place(path)
    at: Any = net
    for key in path[:-1]:
        at = _step(at, key, path)
    last = path[-1]
    named = last in ("name", "title") or path[0] == "inputs" or "neurons" in path
    value = edit.get("value") if named else typed(edit.get("value"))
    if isinstance(value, dict | list) and not isinstance(_look(at, last), dict | list):
        raise _no_place(path)
    if isinstance(at, list):
        if not isinstance(last, int) or isinstance(last, bool) or not 0 <= last < len(at):
            raise _no_place(path)
        at[last] = value
    elif isinstance(at, dict) and isinstance(last, str):
        at[last] = value
    else:
        raise _no_place(path)
    return net


def _look(at: Any, key: Any) -> Any:
    try:
        return at[key]
    except (KeyError, IndexError, TypeError):
        return None


def _step(at: Any, key: Any, path: Any) -> Any:
    fits = isinstance(key, str) if isinstance(at, dict) else type(key) is int and key >= 0
    found = _look(at, key) if fits and isinstance(at, dict | list) else None
    if found is None:
        raise _no_place(path)
    return found


def _no_place(path: Any) -> MiyaInputError:
    return MiyaInputError(
        "E805", f"the network has no place {path!r}"[:200], hint="edit a number that it shows"
    )


def _choose(key: str) -> Callable[[Description, Mapping[str, Any], Draw], Description]:
    """What has a name and options: the loss or the optimizer."""

    def choose(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
        net[key] = _named(edit)
        return net

    return choose


def _named(edit: Mapping[str, Any]) -> Any:
    options = edit.get("options") or {}
    if not isinstance(options, dict):
        raise MiyaInputError("E805", f"options are {options!r}"[:200], hint="give them by name")
    return {"name": edit.get("name"), **{k: typed(v) for k, v in options.items()}}


def _activation(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    _layer(net, edit)["activation"] = _named(edit)
    return net


def _layer(net: Description, edit: Mapping[str, Any]) -> dict[str, Any]:
    k = whole(edit.get("layer"), "the layer", 0, len(net["layers"]) - 1)
    found: dict[str, Any] = net["layers"][k]
    return found


def _add_layer(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    """layer: the place of the new one; neurons: how many, as many as come in where not told."""
    layers = net["layers"]
    if len(layers) >= MOST_DEEP:
        raise _full(f"{len(layers)} layers", MOST_DEEP, "layers")
    k = whole(edit.get("layer"), "the layer", 0, len(layers) - 1)
    wide = len(layers[k]["weight"][0])
    neurons = whole(edit.get("neurons", wide), "neurons", 1, MOST_WIDE)
    made = {
        "weight": draw.weights(neurons, wide),
        "bias": [0.0] * neurons,
        "activation": edit.get("activation", "sigmoid"),
    }
    after = layers[k]
    if neurons != wide:
        after["weight"] = draw.weights(len(after["weight"]), neurons)
        _thaw(after)
    layers.insert(k, made)
    return net


def _remove_layer(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    layers = net["layers"]
    if len(layers) == 1:
        raise _last("layer")
    gone = _layer(net, edit)
    k = next(i for i, layer in enumerate(layers) if layer is gone)
    wide, high = len(gone["weight"][0]), len(gone["weight"])
    if k == len(layers) - 1:
        _resize_targets(net, len(layers[k - 1]["weight"]))
    elif wide != high:
        after = layers[k + 1]
        after["weight"] = draw.weights(len(after["weight"]), wide)
        _thaw(after)
    del layers[k]
    return net


def _add_neuron(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    layer = _layer(net, edit)
    k = net["layers"].index(layer)
    if len(layer["weight"]) >= MOST_WIDE:
        raise _full(f"layer {k + 1} has {MOST_WIDE} neurons", MOST_WIDE, "neurons")
    layer["weight"].append(draw.weights(1, len(layer["weight"][0]))[0])
    if isinstance(layer["bias"], list):
        layer["bias"].append(0.0)
    if "neurons" in layer:
        layer["neurons"].append(_fresh(layer["neurons"]))
    _thaw(layer)
    if k + 1 < len(net["layers"]):
        after = net["layers"][k + 1]
        for row, new in zip(after["weight"], draw.weights(len(after["weight"])), strict=True):
            row.append(new)
        _thaw(after)
    else:
        _resize_targets(net, len(layer["weight"]))
    return net


def _fresh(names: list[str]) -> str:
    k = len(names)
    while f"n{k}" in names:
        k += 1
    return f"n{k}"


def _remove_neuron(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    layer = _layer(net, edit)
    k = net["layers"].index(layer)
    if len(layer["weight"]) == 1:
        raise _last("neuron of its layer")
    i = whole(edit.get("neuron"), "the neuron", 0, len(layer["weight"]) - 1)
    for key in ("weight", "bias", "neurons"):
        if isinstance(layer.get(key), list):
            del layer[key][i]
    _thaw(layer)
    if k + 1 < len(net["layers"]):
        after = net["layers"][k + 1]
        for row in after["weight"]:
            del row[i]
        _thaw(after)
    else:
        _resize_targets(net, len(layer["weight"]), i)
    return net


def _add_input(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    first = net["layers"][0]
    if len(first["weight"][0]) >= MOST_WIDE:
        raise _full(f"{MOST_WIDE} inputs", MOST_WIDE, "inputs")
    for row, new in zip(first["weight"], draw.weights(len(first["weight"])), strict=True):
        row.append(new)
    for example in net["examples"]:
        example["input"].append(0.0)
    if "inputs" in net:
        net["inputs"].append(_fresh(net["inputs"]))
    _thaw(first)
    return net


def _remove_input(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    first = net["layers"][0]
    if len(first["weight"][0]) == 1:
        raise _last("input")
    i = whole(edit.get("input"), "the input", 0, len(first["weight"][0]) - 1)
    for row in (*first["weight"], *(example["input"] for example in net["examples"])):
        del row[i]
    if "inputs" in net:
        del net["inputs"][i]
    _thaw(first)
    return net


def _resize_targets(net: Description, count: int, gone: int | None = None) -> None:
    """Targets for `count` outputs: new ones are 0, classes that are no more become 0."""
    for example in net["examples"]:
        target = example["target"]
        if not isinstance(target, list):
            if _classes(net) and count > 1:
                example["target"] = target if target < count else 0
                continue
            target = [target]
        target = list(target)
        if gone is not None and gone < len(target):
            del target[gone]
        example["target"] = [*target[:count], *[0.0] * (count - len(target))]
        if _classes(net) and abs(sum(example["target"]) - 1) > 1e-9:
            example["target"] = 0 if count > 1 else [1.0]


def _classes(net: Description) -> bool:
    loss = net["loss"]
    return bool((loss["name"] if isinstance(loss, dict) else loss) == "cross_entropy")


def _thaw(layer: dict[str, Any]) -> None:
    """Masks of single entries do not outlive a change of shape; frozen parameters do."""
    given = layer.get("trainable")
    if isinstance(given, dict):
        layer["trainable"] = {k: v if isinstance(v, bool) else True for k, v in given.items()}


def _freeze(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    """layer, parameter ("weight" or "bias"), index (None for all of it), trainable."""
    layer = _layer(net, edit)
    name, trains = edit.get("parameter"), edit.get("trainable")
    if name not in ("weight", "bias") or not isinstance(trains, bool):
        raise _no_place(["layers", edit.get("layer"), name])
    given = layer.get("trainable", True)
    parts = dict(given) if isinstance(given, dict) else {"weight": given, "bias": given}
    index = edit.get("index")
    if index is None:
        parts[name] = trains
    else:
        value = layer[name] if isinstance(layer[name], list) else [layer[name]]
        mask = _filled(value, parts.get(name, True))
        at: Any = mask
        if not isinstance(index, list) or not index:
            raise _no_place(index)
        for key in index[:-1]:
            at = _step(at, key, index)
        if not isinstance(at, list) or type(index[-1]) is not int or not 0 <= index[-1] < len(at):
            raise _no_place(index)
        if isinstance(at[index[-1]], list):
            raise _no_place(index)
        at[index[-1]] = trains
        parts[name] = mask
    layer["trainable"] = parts
    return net


def _filled(value: Any, mask: Any) -> Any:
    """A mask of the value's shape, from one that may be a single bool."""
    if isinstance(mask, bool):
        return [_filled(v, mask) for v in value] if isinstance(value, list) else mask
    return mask


def _add_example(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    """A copy of the last one, to be changed."""
    net["examples"].append(copied({k: v for k, v in net["examples"][-1].items() if k != "name"}))
    if any("name" in example for example in net["examples"]):
        net["examples"][-1]["name"] = f"example {len(net['examples']) - 1}"
    return net


def _remove_example(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    if len(net["examples"]) == 1:
        raise _last("example")
    del net["examples"][whole(edit.get("example"), "the example", 0, len(net["examples"]) - 1)]
    return net


def _reseed(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    """New weights everywhere, from `seed` where one is told; biases go to 0."""
    if edit.get("seed") is not None:
        draw.seed = whole(edit["seed"], "the seed", 0, 2**31)
    for layer in net["layers"]:
        layer["weight"] = draw.weights(len(layer["weight"]), len(layer["weight"][0]))
        layer["bias"] = [0.0] * len(layer["bias"]) if isinstance(layer["bias"], list) else 0.0
    return net


def _dataset(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    from .datasets import dataset

    return _with_examples(net, dataset(edit), draw)


def _csv(net: Description, edit: Mapping[str, Any], draw: Draw) -> Description:
    from .datasets import csv_rows

    text = edit.get("text")
    if not isinstance(text, str):
        raise MiyaInputError("E806", "there is no CSV text", hint="choose a file, or paste it")
    return _with_examples(net, csv_rows(text, len(net["layers"][-1]["weight"])), draw)


def _with_examples(net: Description, rows: list[dict[str, Any]], draw: Draw) -> Description:
    """Other examples; the first and last layer are drawn anew where these have other sizes."""
    first, last = net["layers"][0], net["layers"][-1]
    wide = len(rows[0]["input"])
    high = len(rows[0]["target"]) if isinstance(rows[0]["target"], list) else 1
    if high != len(last["weight"]):
        last["weight"] = draw.weights(high, len(last["weight"][0]))
        if isinstance(last["bias"], list):
            last["bias"] = [0.0] * high
        last.pop("neurons", None)
        _thaw(last)
    if wide != len(first["weight"][0]):
        first["weight"] = draw.weights(len(first["weight"]), wide)
        net.pop("inputs", None)
        _thaw(first)
    net["examples"] = rows
    return net


def _full(what: str, most: int, of: str) -> MiyaInputError:
    return MiyaInputError("E807", f"there are already {what}", hint=f"the page draws {most} {of}")


def _last(what: str) -> MiyaInputError:
    return MiyaInputError("E807", f"this is the last {what}", hint="a network needs one")


EDITS: dict[str, Callable[[Description, Mapping[str, Any], Draw], Description]] = {
    "set": _set,
    "loss": _choose("loss"),
    "optimizer": _choose("optimizer"),
    "activation": _activation,
    "add_layer": _add_layer,
    "remove_layer": _remove_layer,
    "add_neuron": _add_neuron,
    "remove_neuron": _remove_neuron,
    "add_input": _add_input,
    "remove_input": _remove_input,
    "freeze": _freeze,
    "add_example": _add_example,
    "remove_example": _remove_example,
    "reseed": _reseed,
    "dataset": _dataset,
    "csv": _csv,
}
