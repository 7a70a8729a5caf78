"""The operators of ONNX that are read, each as what it does in torch.

A row takes the node's attributes and gives the function of its inputs; an input that is left out
is None. Whole numbers that only shape things (the shape of a Reshape, axes, pads) come as NumPy
arrays, all else as tensors. Source: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from .onnx_windows import average_pool, convolution, max_pool

Attributes = Mapping[str, Any]
Function = Callable[..., Any]
Tensor = torch.Tensor


def _plain(function: Function) -> Callable[[Attributes], Function]:
    return lambda attributes: function


def _gemm(at: Attributes) -> Function:
    """alpha · A' B' + beta · C, as torch's linear layer where it is one."""
    alpha, beta = at.get("alpha", 1.0), at.get("beta", 1.0)

    def run(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        a = a.t() if at.get("transA", 0) else a
        if at.get("transB", 0) and alpha == beta == 1 and (c is None or c.shape == b.shape[:1]):
            return F.linear(a, b, c)
        made = torch.matmul(a, b.t() if at.get("transB", 0) else b)
        made = made if alpha == 1 else alpha * made
        return made if c is None else made + (c if beta == 1 else beta * c)

    return run


def _softmax(function: Function) -> Callable[[Attributes], Function]:
    def row(at: Attributes) -> Function:
        if at["opset"] >= 13:
            return lambda x: function(x, at.get("axis", -1))

        def over_the_rest(x: Tensor) -> Tensor:
            """Before operator set 13: over all dimensions from the axis on."""
            axis = at.get("axis", 1) % x.ndim
            if axis == x.ndim - 1:
                found: Tensor = function(x, -1)
                return found
            found = function(x.reshape(*x.shape[:axis], -1), -1).reshape(x.shape)
            return found

        return over_the_rest

    return row


def _selu(at: Attributes) -> Function:
    alpha, gamma = at.get("alpha", 1.6732632), at.get("gamma", 1.0507010)
    if abs(alpha - 1.6732632) < 1e-6 and abs(gamma - 1.050701) < 1e-6:
        return F.selu
    return lambda x: gamma * F.elu(x, alpha)


def _clip(at: Attributes) -> Function:
    def run(x: Tensor, low: Any = None, high: Any = None) -> Tensor:
        low, high = (at.get(k) if v is None else v for k, v in (("min", low), ("max", high)))
        if low is None and high is None:
            return x
        return torch.clamp(x, min=_number(low), max=_number(high))

    return run


def _number(value: Any) -> float | None:
    return value.item() if isinstance(value, torch.Tensor | np.ndarray) else value


def _flatten(at: Attributes) -> Function:
    axis = at.get("axis", 1)

    def run(x: Tensor) -> Tensor:
        if axis == 1 and x.ndim > 1:
            return torch.flatten(x, 1)
        at_ = axis + x.ndim if axis < 0 else axis
        return x.reshape(prod(x.shape[:at_]), prod(x.shape[at_:]))

    return run


def _reshape(at: Attributes) -> Function:
    def run(x: Tensor, shape: np.ndarray) -> Tensor:
        keep = not at.get("allowzero", 0)
        sizes = [x.shape[k] if n == 0 and keep else n for k, n in enumerate(shape.tolist())]
        return x.reshape(sizes)

    return run


def _transpose(at: Attributes) -> Function:
    return lambda x: x.permute(list(at.get("perm", range(x.ndim)[::-1])))


def _axes(at: Attributes, given: np.ndarray | None) -> list[int] | None:
    """Axes: an input in the newer operator sets, an attribute before."""
    found = at.get("axes") if given is None else given.tolist()
    return None if found is None else list(found)


def _squeeze(at: Attributes) -> Function:
    def run(x: Tensor, axes: np.ndarray | None = None) -> Tensor:
        found = _axes(at, axes)
        return torch.squeeze(x) if found is None else torch.squeeze(x, tuple(found))

    return run


def _unsqueeze(at: Attributes) -> Function:
    def run(x: Tensor, axes: np.ndarray | None = None) -> Tensor:
        found = _axes(at, axes) or []
        wide = x.ndim + len(found)
        for axis in sorted(a % wide for a in found):
            x = torch.unsqueeze(x, axis)
        return x

    return run


def _reduce(function: Function) -> Callable[[Attributes], Function]:
    def row(at: Attributes) -> Function:
        def run(x: Tensor, axes: np.ndarray | None = None) -> Tensor:
            found = _axes(at, axes)
            if not found and at.get("noop_with_empty_axes", 0):
                return x
            made: Tensor = function(x, found or list(range(x.ndim)), bool(at.get("keepdims", 1)))
            return made

        return run

    return row


def _pad(at: Attributes) -> Function:
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[_mode(at)]

    def run(
        x: Tensor, pads: np.ndarray | None = None, value: Any = None, axes: Any = None
    ) -> Tensor:
        found = at["pads"] if pads is None else pads.tolist()
        over = range(x.ndim) if axes is None else [a % x.ndim for a in axes.tolist()]
        half = len(found) // 2
        ends = dict(zip(over, zip(found[:half], found[half:], strict=True), strict=True))
        flat = [n for k in reversed(range(x.ndim)) for n in ends.get(k, (0, 0))]
        while len(flat) > 2 and flat[-2:] == [0, 0]:
            del flat[-2:]
        if mode != "constant":
            return F.pad(x, flat, mode)
        fill = at.get("value", 0.0) if value is None else _number(value)
        return F.pad(x, flat, mode, fill)

    return run


def _mode(at: Attributes) -> str:
    found = at.get("mode", "constant")
    if found not in ("constant", "reflect", "edge"):
        raise NotImplementedError(f"Pad (mode {found})")
    return str(found)


def _batch_norm(at: Attributes) -> Function:
    if at.get("training_mode", 0) or at["outputs"] > 1:
        raise NotImplementedError("BatchNormalization (in training mode)")
    return lambda x, scale, bias, mean, var: F.batch_norm(
        x, mean, var, scale, bias, False, 0.0, at.get("epsilon", 1e-5)
    )


def _layer_norm(at: Attributes) -> Function:
    if at["outputs"] > 1:
        raise NotImplementedError("LayerNormalization (with its statistics as outputs)")

    def run(x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
        shape = x.shape[at.get("axis", -1) % x.ndim :]
        eps = at.get("epsilon", 1e-5)
        if scale.shape == shape and (bias is None or bias.shape == shape):
            return F.layer_norm(x, shape, scale, bias, eps)
        made = F.layer_norm(x, shape, eps=eps) * scale
        return made if bias is None else made + bias

    return run


def _dropout(at: Attributes) -> Function:
    """Nothing, unless the model itself asks for training; the mask as an output is not read."""
    if at["outputs"] > 1:
        raise NotImplementedError("Dropout (with its mask as an output)")

    def run(x: Tensor, ratio: Any = None, training: Any = None) -> Tensor:
        if training is None or not bool(training):
            return x
        return F.dropout(x, 0.5 if ratio is None else _number(ratio) or 0.0, True)

    return run


def _gather(at: Attributes) -> Function:
    def run(x: Tensor, indices: Any) -> Tensor:
        axis = at.get("axis", 0) % x.ndim
        if not isinstance(indices, Tensor):  # from the end where below 0
            indices = torch.from_numpy(np.asarray(np.asarray(indices, np.int64) % x.shape[axis]))
        at_ = indices.long()
        if axis == 0 and x.ndim == 2:
            return F.embedding(at_, x)
        shape = (*x.shape[:axis], *at_.shape, *x.shape[axis + 1 :])
        return torch.index_select(x, axis, at_.flatten()).reshape(shape)

    return run


def _average_all(x: Tensor) -> Tensor:
    return x.mean(tuple(range(2, x.ndim)), keepdim=True)


def _concat(at: Attributes) -> Function:
    return lambda *parts: torch.cat(parts, at["axis"])


def _shape(at: Attributes) -> Function:
    return lambda x: np.array(x.shape, dtype=np.int64)[at.get("start", 0) : at.get("end")]


OPERATORS: Mapping[str, Callable[[Attributes], Function]] = {
    "Abs": _plain(torch.abs),
    "Add": _plain(torch.add),
    "AveragePool": average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": convolution,
    "Div": _plain(torch.div),
    "Dropout": _dropout,
    "Elu": lambda at: lambda x: F.elu(x, at.get("alpha", 1.0)),
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Flatten": _flatten,
    "Gather": _gather,
    "Gelu": lambda at: lambda x: F.gelu(x, approximate=at.get("approximate", "none")),
    "Gemm": _gemm,
    "GlobalAveragePool": _plain(_average_all),
    "HardSigmoid": lambda at: (
        lambda x: torch.clamp(at.get("alpha", 0.2) * x + at.get("beta", 0.5), 0.0, 1.0)
    ),
    "HardSwish": _plain(F.hardswish),
    "Identity": _plain(lambda x: x),
    "LayerNormalization": _layer_norm,
    "LeakyRelu": lambda at: lambda x: F.leaky_relu(x, at.get("alpha", 0.01)),
    "Log": _plain(torch.log),
    "LogSoftmax": _softmax(F.log_softmax),
    "MatMul": _plain(torch.matmul),
    "MaxPool": max_pool,
    "Mul": _plain(torch.mul),
    "Neg": _plain(torch.neg),
    "Pad": _pad,
    "Pow": _plain(torch.pow),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": _plain(F.relu),
    "Reshape": _reshape,
    "Selu": _selu,
    "Shape": _shape,
    "Sigmoid": _plain(torch.sigmoid),
    "Softmax": _softmax(F.softmax),
    "Softplus": _plain(F.softplus),
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": _squeeze,
    "Sub": _plain(torch.sub),
    "Tanh": _plain(torch.tanh),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}

# of whole numbers that shape things: worked out by onnx itself, when all inputs are such
SHAPES = {
    *("Add", "Cast", "Concat", "Constant", "Div", "Gather", "Identity", "Mul", "Reshape", "Slice"),
    *("Squeeze", "Sub", "Unsqueeze"),
}

# inputs that are floating numbers, but nothing that is trained, by their position
NOT_TRAINED: Mapping[str, Sequence[int]] = {
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "Dropout": (1,),
    "Pad": (2,),
}
