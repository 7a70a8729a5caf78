"""Look-up of rows of a table, and the sums, means and maxima of bags of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..calls import Call, Factor, Terms, Value, Worked, element, local
from ..graph import Index
from ..rounding import Array
from .grid import once
from .record import Record, back, record, rows


def _padding(call: Call) -> int | None:
    given = call.option("padding_idx")
    return None if given is None else int(given) % call.operands["weight"].shape[0]


def _counts(call: Call) -> Array:
    """How often each row is looked up, the padding included."""
    tokens = call.operands["input"].array.ravel()
    return np.bincount(tokens, minlength=call.operands["weight"].shape[0])


def _by_frequency(call: Call, row: int, terms: int) -> tuple[Factor, ...]:
    if not call.option("scale_grad_by_freq", False):
        return ()
    share = 1 / max(int(_counts(call)[row]), 1)
    return (local(np.full(terms, share), "1 / n", "n: how often the row is looked up"),)


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "weight":
        return None
    row, column = index
    if row == _padding(call):
        return []
    where = np.argwhere(call.operands["input"].array == row)
    if not len(where):
        return []
    at = np.concatenate([where, np.full((len(where), 1), column)], axis=1)
    one = local(np.ones(len(at)), "1")
    return [back(call, at, one, *_by_frequency(call, row, len(at)))]


def _renormed(call: Call, row: int) -> float:
    """What max_norm scales a row by before it is looked up."""
    limit = call.option("max_norm")
    if limit is None:
        return 1.0
    numbers = np.asarray(call.operands["weight"].array[row], dtype=np.float64)
    norm = float(np.linalg.norm(numbers, ord=float(call.option("norm_type", 2.0))))
    return float(limit) / (norm + 1e-7) if norm > float(limit) else 1.0


def _forward(call: Call, slot: int, index: Index) -> list[Terms]:
    *where, column = index
    row = int(call.operands["input"].array[tuple(where)])
    at = element(call.operands["weight"], rows(row, column))
    scale = _renormed(call, row)
    if scale == 1.0:
        return [Terms((at,))]
    return [Terms((at, local(np.asarray([scale]), "max_norm / ‖w‖", "the row is too long")))]


record(
    Record(
        "embedding",
        "y[n, j] = W[token[n], j]",
        {"weight": "∂C/∂W[r, j] = Σ_{n: token[n] = r} δ[n, j]; 0 for the padding's row"},
        "torch.nn.Embedding",
        _backward,
        _forward,
    )
)


@dataclass(frozen=True)
class Bags:
    """bag: of each token, in order; used: whether it counts; sizes: how many count, a bag."""

    tokens: Array
    bag: Array
    used: Array
    sizes: Array


def _split(call: Call) -> Bags:
    found = call.operands["input"].array
    count = call.results[0].shape[0]
    if found.ndim == 2:
        bag = np.repeat(np.arange(found.shape[0]), found.shape[1])
    else:
        offsets = call.operands["offsets"].array[:count]
        bag = np.searchsorted(offsets, np.arange(found.size), side="right") - 1
    tokens, padding = found.ravel(), _padding(call)
    used = np.ones(tokens.shape, dtype=bool) if padding is None else tokens != padding
    return Bags(tokens, bag, used, np.bincount(bag[used], minlength=count))


def _bags(call: Call) -> Bags:
    return once(call, "bags", lambda: _split(call))


def _largest(call: Call, bag: int, column: int) -> int:
    """Which token of a bag has the largest number in a column: the first of equal ones."""
    found = _bags(call)
    mine = np.flatnonzero((found.bag == bag) & found.used)
    return int(mine[np.argmax(call.operands["weight"].array[found.tokens[mine], column])])


def _sample_weight(call: Call, tokens: Array) -> tuple[Factor, ...]:
    """The factor of per_sample_weights of these tokens, where there are any."""
    given = call.operands.get("per_sample_weights")
    if given is None:
        return ()
    return (element(given, np.stack(np.unravel_index(tokens, given.shape), axis=1)),)


def _share(call: Call, bags: Array) -> tuple[Factor, ...]:
    if call.option("mode", "mean") != "mean":
        return ()
    return (local(1 / _bags(call).sizes[bags], "1 / N", "N = how many tokens the bag holds"),)


def _bag_weight(call: Call, row: int, column: int) -> list[Terms]:
    found = _bags(call)
    mine = np.flatnonzero((found.tokens == row) & found.used)
    if call.option("mode", "mean") == "max":
        mine = np.asarray([k for k in mine if _largest(call, int(found.bag[k]), column) == k], int)
    if not len(mine):
        return []
    bags = found.bag[mine]
    scales = (*_sample_weight(call, mine), *_share(call, bags))
    one = local(np.ones(len(mine)), "1")
    return [back(call, rows(bags, column), one, *scales, *_by_frequency(call, row, len(mine)))]


def _bag_backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role == "weight":
        return _bag_weight(call, *index)
    if role != "per_sample_weights":
        return None
    given, weight = call.operands[role], call.operands["weight"]
    token = int(np.ravel_multi_index(index, given.shape))
    found = _bags(call)
    if not found.used[token]:
        return []
    columns = np.arange(weight.shape[1])
    looked_up = element(weight, rows(int(found.tokens[token]), columns))
    return [back(call, rows(int(found.bag[token]), columns), looked_up)]


def _bag_forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked:
    bag, column = index
    found, weight = _bags(call), call.operands["weight"]
    mine = np.flatnonzero((found.bag == bag) & found.used)
    if not len(mine):
        return []
    if call.option("mode", "mean") == "max":
        place = (int(found.tokens[_largest(call, bag, column)]), column)
        top: tuple[Value | None, Index, float] = (weight, place, float(weight.array[place]))
        return Worked("W", {"W": top})
    at = element(weight, rows(found.tokens[mine], column))
    return [Terms((at, *_sample_weight(call, mine), *_share(call, found.bag[mine])))]


record(
    Record(
        "embedding_bag",
        "y[b, j] = Σ_{n in bag b} W[token[n], j], for a mean over how many there are",
        {
            "weight": "∂C/∂W[r, j] = Σ_{n: token[n] = r} s[n] δ[bag[n], j], s = 1, 1/N or given",
            "per_sample_weights": "∂C/∂s[n] = Σ_j W[token[n], j] δ[bag[n], j]",
        },
        "torch.nn.EmbeddingBag",
        _bag_backward,
        _bag_forward,
    )
)


def _one_hot(call: Call, slot: int, index: Index) -> Worked:
    *where, place = index
    given = call.operands["input"]
    at = tuple(where)
    token: tuple[Value | None, Index, float] = (given, at, float(given.array[at]))
    hot = "1" if token[2] == place else "0"
    return Worked(hot, {"token": token})


record(
    Record(
        "one_hot",
        "y[n, k] = 1[token[n] = k]",
        {},
        "torch.nn.functional.one_hot",
        lambda call, role, index: [],
        _one_hot,
    )
)
