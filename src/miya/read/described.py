"""A network file with other weights, examples, loss or optimizer put into its description."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core import losses, optimizers
from ..core.build import network as build
from ..core.network import Network
from ..errors import MiyaInputError
from .file import read_description
from .fit import fitted
from .npz import arrays
from .pickled import refuse_pickle
from .weights import read_weights

Named = str | os.PathLike[str]


def network_with(
    description: Named | Mapping[str, Any],
    *,
    weights: Named | None = None,
    data: Named | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    dtype: str = "float64",
) -> Network:
    """The network of a file (or its description), with what is given in the place of its own.

    weights: a .safetensors file (see `fit.fitted`). data: a .npz with input (n, in) and target.
    loss, optimizer: names of network files, or torch's classes that they are.
    Raises MiyaInputError, whose `place` is the network file where the fault may stand in it.
    """
    given = description if isinstance(description, Mapping) else read_description(description)
    found = dict(given)
    if loss is not None:
        found["loss"] = _own(losses.KINDS, loss)
    if optimizer is not None:
        found["optimizer"] = _own(optimizers.KINDS, optimizer)
    if learning_rate is not None:
        found["learning_rate"] = learning_rate
        found = _without_lr(found)
    if data is not None:
        found["examples"] = _examples(Path(data))
    try:
        if weights is not None:
            found = fitted(found, read_weights(weights))
        return build(found, dtype=dtype)
    except MiyaInputError as error:
        if not isinstance(description, Mapping) and not error.place and error.path:
            error.place = os.fspath(description)
        raise


def _own(kinds: Mapping[str, Any], given: str) -> str:
    """The name in network files of a class of torch that is the same, else `given`."""
    last = given.rpartition(".")[2]
    return next((n for n, k in kinds.items() if k.source.rpartition(".")[2] == last), given)


def _without_lr(description: dict[str, Any]) -> dict[str, Any]:
    """Without the optimizer's own rate, in whose place another is given."""
    found = description.get("optimizer")
    if not isinstance(found, Mapping):
        return description
    return {**description, "optimizer": {k: v for k, v in found.items() if k != "lr"}}


def _examples(path: Path) -> dict[str, Any]:
    refuse_pickle(path)
    found = arrays(path)
    if set(found) != {"input", "target"}:
        raise MiyaInputError(
            "E516",
            f"{path} holds {', '.join(found) or 'nothing'}",
            hint="a network file takes input (n, in) and target (n, out)",
        )
    return found
