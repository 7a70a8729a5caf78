"""Which shapes and types fit an operation, by its name: what was met, and what would fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .functions import words
from .values import TensorValue

Arguments = Mapping[str, Any]
Fit = tuple[str, str] | None

DTYPES = (
    "dtype",
    "scalar type",
    "same type",
    "Input type",
    "tensor for argument",
    "not implemented for",
    "must be Long",
    "data type",
)
LOSSES = words(
    "cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits mse_loss "
    "l1_loss smooth_l1_loss huber_loss kl_div multi_margin_loss multilabel_margin_loss "
    "soft_margin_loss hinge_embedding_loss poisson_nll_loss gaussian_nll_loss"
)


def _shape(found: Any) -> tuple[int, ...]:
    return tuple(found.shape) if isinstance(found, TensorValue) else ()


def _last(given: Arguments) -> Fit:
    x, weight = _shape(given.get("input")), _shape(given.get("weight"))
    if not x or len(weight) != 2 or x[-1] == weight[1]:
        return None
    return (
        f"the input is {x}, its last dimension {x[-1]}; the weight {weight} takes {weight[1]}",
        f"give inputs of {weight[1]} features, or make the layer with in_features={x[-1]}",
    )


def _channels(spatial: int) -> Callable[[Arguments], Fit]:
    def check(given: Arguments) -> Fit:
        x, weight = _shape(given.get("input")), _shape(given.get("weight"))
        groups = given.get("groups", 1) or 1
        if len(x) not in (spatial + 1, spatial + 2):
            return (
                f"the input is {x}, of {len(x)} dimensions",
                f"give (examples, channels, {'length' if spatial == 1 else 'height, width'})"
                if spatial < 3
                else "give (examples, channels, depth, height, width)",
            )
        channels, wanted = x[-spatial - 1], weight[1] * groups
        if channels != wanted:
            return (
                f"the input {x} has {channels} channels; the weight {weight} takes {wanted}",
                f"give {wanted} channels, or make the layer with in_channels={channels}",
            )
        return (
            f"the kernel {weight[2:]} is larger than the input {x[-spatial:]} with its padding",
            "give larger inputs, or padding",
        )

    return check


def _matmul(given: Arguments) -> Fit:
    names = [n for n in ("input", "other", "mat2") if n in given]
    if len(names) < 2:
        return None
    a, b = _shape(given[names[0]]), _shape(given[names[-1]])
    if not a or not b:
        return None
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        return (
            f"{a} times {b}: the first ends in {a[-1]}, which meets {inner}",
            "transpose one of them, or make the two equal",
        )
    return None


def _broadcast(given: Arguments) -> Fit:
    a, b = _shape(given.get("input")), _shape(given.get("other"))
    for k in range(1, min(len(a), len(b)) + 1):
        if a[-k] != b[-k] and 1 not in (a[-k], b[-k]):
            return (
                f"{a} and {b} do not fit each other: {a[-k]} meets {b[-k]} in dimension {-k}",
                "make the two equal, or one of them 1",
            )
    return None


def _normalised(given: Arguments) -> Fit:
    x, shape = _shape(given.get("input")), tuple(given.get("normalized_shape") or ())
    if shape and x[-len(shape) :] != shape:
        return (f"the input {x} does not end in {shape}", f"give inputs that end in {shape}")
    return None


def _batch_norm(given: Arguments) -> Fit:
    x = _shape(given.get("input"))
    held = next((_shape(given[n]) for n in ("running_mean", "weight") if _shape(given.get(n))), ())
    if len(x) > 1 and held and x[1] != held[0]:
        return (
            f"the input {x} has {x[1]} channels, the layer {held[0]}",
            f"give {held[0]} channels, or make the layer with num_features={x[1]}",
        )
    return None


def _embedding(given: Arguments) -> Fit:
    index, weight = given.get("input"), _shape(given.get("weight"))
    if not isinstance(index, TensorValue) or not weight or index.tensor.is_floating_point():
        return None
    low, high = int(index.tensor.min()), int(index.tensor.max())
    worst = high if high >= weight[0] else low
    return (
        f"it has {weight[0]} rows, 0 to {weight[0] - 1}, and is asked for row {worst}",
        f"give indices below {weight[0]}, or make it with num_embeddings={high + 1}",
    )


def _size(given: Arguments) -> Fit:
    found, *rest = given.values()
    wanted = rest[0] if rest and isinstance(rest[0], tuple) else tuple(rest)
    if not isinstance(found, TensorValue) or not wanted:
        return None
    return (
        f"{tuple(found.shape)} holds {found.size} numbers, which {wanted} does not",
        "use -1 for the dimension that is to be worked out",
    )


def _cat(given: Arguments) -> Fit:
    shapes = [_shape(v) for v in given.get("tensors", ())]
    return (
        f"{', '.join(map(str, shapes))} differ beside dimension {given.get('dim', 0)}",
        "make them equal in every other dimension",
    )


SHAPES: dict[str, Callable[[Arguments], Fit]] = {
    "linear": _last,
    **{f"conv{d}d": _channels(d) for d in (1, 2, 3)},
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), _matmul),
    **dict.fromkeys(("add", "sub", "mul", "div", "pow", "maximum", "minimum"), _broadcast),
    "layer_norm": _normalised,
    "rms_norm": _normalised,
    "batch_norm": _batch_norm,
    "embedding": _embedding,
    **dict.fromkeys(("view", "reshape"), _size),
    **dict.fromkeys(("cat", "concat", "stack"), _cat),
}


def targets(name: str, given: Arguments, error: Exception) -> Fit:
    """What a loss takes as a target, where it got something else."""
    x, y = given.get("input"), given.get("target")
    if not isinstance(x, TensorValue):
        return None
    if not isinstance(y, TensorValue):
        return (f"the target is {y!r}", "give a tensor as the target")
    return _classes(x, y) if name in ("cross_entropy", "nll_loss", "multi_margin_loss") else (
        _probabilities(name, x, y) or _same_shape(x, y)
    )  # fmt: skip


def _classes(x: TensorValue, y: TensorValue) -> Fit:
    count = x.shape[1] if len(x.shape) > 1 else x.shape[0]
    want = (x.shape[0], *x.shape[2:]) if len(x.shape) > 1 else ()
    if y.shape == x.shape and y.tensor.is_floating_point():
        return None if y.dtype == x.dtype else _converted(x, y)
    if y.shape != want:
        return (
            f"the output {tuple(x.shape)} takes class indices of shape {want}, the target is "
            f"{tuple(y.shape)}",
            "give one class an example, or probabilities in the output's shape",
        )
    if y.dtype not in ("int64", "uint8"):
        return f"class indices are whole numbers (int64), the target is {y.dtype}", "use y.long()"
    wrong = (y.tensor < 0) | (y.tensor >= count)
    if not bool(wrong.any()):
        return None
    where = tuple(int(k) for k in wrong.nonzero()[0]) if want else ()
    place = f"[{', '.join(map(str, where))}]" if where else ""
    return (
        f"target{place} is class {int(y.tensor[where])}, and there are {count}: 0 to {count - 1}",
        "count classes from 0",
    )


def _converted(x: TensorValue, y: TensorValue) -> Fit:
    return (
        f"the target is {y.dtype}, the output {x.dtype}",
        f"convert it: y.to(torch.{x.dtype})",
    )


def _probabilities(name: str, x: TensorValue, y: TensorValue) -> Fit:
    if name == "binary_cross_entropy" and x.shape == y.shape:
        low, high = x.tensor.min().item(), x.tensor.max().item()
        if low < 0 or high > 1:
            return (
                f"it takes probabilities, the output goes from {low:.4g} to {high:.4g}",
                "end the model in a sigmoid, or use binary_cross_entropy_with_logits",
            )
    if x.shape == y.shape and not y.tensor.is_floating_point():
        return _converted(x, y)
    return None


def _same_shape(x: TensorValue, y: TensorValue) -> Fit:
    if x.shape == y.shape:
        return None
    return (
        f"the output is {tuple(x.shape)}, the target {tuple(y.shape)}",
        "give the target in the output's shape",
    )
