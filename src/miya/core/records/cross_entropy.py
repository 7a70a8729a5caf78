"""Cross-entropy of logits and the negative log-likelihood of log-probabilities.

Both read one line of classes an example (and position): class indices or, for cross-entropy,
a probability a class. With q[c] = w[c] t'[c], t' the target smoothed, an example's loss is
−Σ_c q[c] log p[c]; indices that are ignored have q = 0. A mean over class indices divides by the
sum of w[target], over probabilities by how many examples there are.
"""

from __future__ import annotations

import numpy as np

from ..calls import Call, Factor, Terms, element, local, picked
from ..graph import Index
from ..rounding import Array
from .grid import grid, once, whole
from .pointwise import reduction_of
from .record import Record, back, record


def _class_axis(call: Call) -> int:
    return 1 if len(call.operands["input"].shape) > 1 else 0


def _indices(call: Call) -> bool:
    """Whether the target is a class index an example, not a probability a class."""
    return call.operands["target"].dtype in ("int64", "uint8")


def _class_weights(call: Call) -> Array:
    weight = call.operands.get("weight")
    count = call.operands["input"].shape[_class_axis(call)]
    return np.ones(count) if weight is None else np.asarray(weight.array, dtype=np.float64)


def _examples(call: Call) -> list[int]:
    """The dimensions that are not the classes': batch and positions."""
    shape = list(call.operands["input"].shape)
    del shape[_class_axis(call)]
    return shape


def _kept(call: Call) -> Array:
    target = call.operands["target"].array
    return np.asarray(target != call.option("ignore_index", -100))


def _divisor(call: Call) -> float:
    if reduction_of(call) != "mean":
        return 1.0
    if not _indices(call):
        return float(max(int(np.prod(_examples(call))), 1))
    target, kept = call.operands["target"].array, _kept(call)
    return float(_class_weights(call)[target[kept]].sum())


def divisor(call: Call) -> float:
    """What the sum over examples is divided by."""
    return once(call, "divisor", lambda: _divisor(call))


def _line(call: Call, example: Index) -> tuple[int | slice, ...]:
    axis = _class_axis(call)
    return (*example[:axis], slice(None), *example[axis:])


def _wanted(call: Call, example: Index) -> Array:
    """q of one example, a number a class."""
    weights, smoothing = _class_weights(call), float(call.option("label_smoothing", 0.0))
    target = call.operands["target"].array
    if _indices(call):
        label = int(target[example])
        if label == call.option("ignore_index", -100):
            return np.zeros_like(weights)
        chosen = (np.arange(len(weights)) == label).astype(np.float64)
    else:
        chosen = np.asarray(target[_line(call, example)], dtype=np.float64)
    return np.asarray(weights * ((1 - smoothing) * chosen + smoothing / len(weights)))


def _log_p(call: Call, example: Index) -> Array:
    line = np.asarray(call.operands["input"].array[_line(call, example)], dtype=np.float64)
    top = line.max()
    return np.asarray(line - top - np.log(np.exp(line - top).sum()))


def _parts(call: Call, index: Index) -> tuple[Index, int, Array]:
    """The example and class of an element of the input, and where its loss is in the result."""
    axis = _class_axis(call)
    example = (*index[:axis], *index[axis + 1 :])
    to = example if reduction_of(call) == "none" else ()
    return example, index[axis], np.asarray([to], dtype=np.int64).reshape(1, len(to))


def _share(call: Call, count: int = 1) -> tuple[Factor, ...]:
    if reduction_of(call) != "mean":
        return ()
    symbol = "1 / Σ w[target]" if _indices(call) and "weight" in call.operands else "1 / N"
    with np.errstate(divide="ignore"):
        return (local(np.full(count, np.divide(1.0, divisor(call))), symbol),)


def _says(call: Call, index: Index) -> tuple[str, str]:
    """How the slope is written at an element of the input, and what stands in it."""
    example, label, _ = _parts(call, index)
    place, at = ",".join(map(str, index)), f"[{','.join(map(str, example))}]" if example else ""
    target = f"1[target{at} = {label}]" if _indices(call) else f"t[{place}]"
    if call.option("label_smoothing", 0.0):
        target = f"((1 - ε) {target} + ε / classes)"
    if "weight" in call.operands:
        told = f"p = softmax(x), q[{place}] = w[{label}] {target}"
        return f"p[{place}] Σ_k q[k] - q[{place}]", told
    return f"p[{place}] - {target}", "p = softmax(x)"


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role == "weight" or role not in call.operands:
        return None
    example, label, to = _parts(call, index)
    log_p = float(_log_p(call, example)[label])
    if role == "target":
        kept = 1 - float(call.option("label_smoothing", 0.0))
        slope = np.asarray([-kept * _class_weights(call)[label] * log_p])
        return [back(call, to, local(slope, "-w[c] (1 - ε) log(p[c])"), *_share(call))]
    wanted = _wanted(call, example)
    if not wanted.any():
        return []
    slope = np.exp(log_p) * wanted.sum() - wanted[label]
    told, where = _says(call, index)
    p = local(np.exp([log_p]), "p")
    reads = {f"p[{','.join(map(str, index))}]": p}
    return [back(call, to, local(np.asarray([slope]), told, where, reads=reads), *_share(call))]


def _worked_out(call: Call) -> Array:
    """The loss of every example, of the shape of the examples."""
    weights, smoothing = _class_weights(call), float(call.option("label_smoothing", 0.0))
    x = np.moveaxis(np.asarray(call.operands["input"].array, np.float64), _class_axis(call), -1)
    top = x.max(-1, keepdims=True)
    log_p = x - top - np.log(np.exp(x - top).sum(-1, keepdims=True))
    target = call.operands["target"].array
    if _indices(call):
        kept = _kept(call)
        chosen = np.eye(len(weights))[np.where(kept, target, 0)] * kept[..., None]
        even = kept[..., None] / len(weights)
    else:
        chosen = np.moveaxis(target, _class_axis(call), -1)
        even = np.asarray(1 / len(weights))
    wanted = weights * ((1 - smoothing) * chosen + smoothing * even)
    return np.asarray(-np.where(wanted == 0, 0.0, wanted * log_p).sum(-1))


def _forward(call: Call, slot: int, index: Index) -> list[Terms]:
    if reduction_of(call) == "none":
        wanted = _wanted(call, index)
        classes = np.flatnonzero(wanted)
        at = np.insert(np.tile(index, (len(classes), 1)), _class_axis(call), classes, axis=1)
        logs = local(_log_p(call, index)[classes], "log(p[{}])", "p = softmax(x)", at)
        return [Terms((local(-wanted[classes], "-q[{}]", index=at), logs))]
    losses = once(call, "losses", lambda: _worked_out(call))
    at = grid(*whole(losses.shape))
    told = local(losses.ravel(), "ℓ[{}]" if losses.ndim else "ℓ", "ℓ = -Σ_c q[c] log(p[c])", at)
    return [Terms((told, *_share(call, losses.size)))]


record(
    Record(
        "cross_entropy",
        "C = Σ_n ℓ[n] / N, ℓ = −Σ_c q[c] log p[c], p = softmax(x)",
        {"input": "∂C/∂x[n, c] = (p[n, c] Σ_k q[n, k] − q[n, c]) / N"},
        "torch.nn.CrossEntropyLoss",
        _backward,
        _forward,
    )
)


def _likelihood_backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    if role != "input":
        return None
    example, label, to = _parts(call, index)
    weight = float(_wanted(call, example)[label])
    if weight == 0:
        return []
    return [back(call, to, local(np.asarray([-weight]), "-w[target]"), *_share(call))]


def _likelihood_forward(call: Call, slot: int, index: Index) -> list[Terms]:
    shape, target = tuple(_examples(call)), call.operands["target"]
    whole_batch = reduction_of(call) != "none"
    at = grid(*(whole(shape) if whole_batch else index))
    labels = picked(target.array, at).astype(np.int64)
    used = labels != call.option("ignore_index", -100)
    at, labels = at[used], labels[used]
    read = element(call.operands["input"], np.insert(at, _class_axis(call), labels, axis=1))
    weights = local(-_class_weights(call)[labels], "-w[target]")
    return [Terms((weights, read, *_share(call, len(at))))]


record(
    Record(
        "nll_loss",
        "C = −Σ_n w[target[n]] x[n, target[n]] / Σ_n w[target[n]]",
        {"input": "∂C/∂x[n, c] = −w[c] 1[c = target[n]] / Σ_n w[target[n]]"},
        "torch.nn.NLLLoss",
        _likelihood_backward,
        _likelihood_forward,
    )
)
