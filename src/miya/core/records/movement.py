"""Operations that move numbers and change none: reshapes, transposes, slices, joins, padding.

Where each number of a result comes from is told by the strides of a result that is a view. Of
another it is found by running the operation itself on the numbers of the places: once from 0,
once all higher by their count. What grew by the count was moved; what stayed is something else's.
"""

from __future__ import annotations

import numpy as np

from ..calls import Call, Terms, Value, Worked, element, local
from ..graph import Index
from ..rounding import Array
from ..strided import Strided
from .grid import grid, once
from .record import ANY, Record, back, record


def sources(call: Call, role: str) -> list[Array] | None:
    """For each place of each result, the flat place of the operand that its number is from, −1
    where it is not from there; None where the operation does more than move. Kept with the
    call, in as few bytes as its places need."""
    return once(call, f"sources {role}", lambda: _sources(call, role))


def _sources(call: Call, role: str) -> list[Array] | None:
    operand = call.operands[role]
    count = operand.size
    if count == 0:
        return [np.full(r.shape, -1) for r in call.results]
    fixed = {
        other: np.zeros(v.shape)
        for other, v in call.operands.items()
        if other != role and "float" in v.dtype
    }
    places = np.arange(count, dtype=np.float64).reshape(operand.shape)
    first, second = (call.moved({**fixed, role: places + shift}) for shift in (0, count))
    found = []
    for a, b in zip(first, second, strict=True):
        grown = b - a
        moved = grown == count
        if not np.all(np.where(moved, (a >= 0) & (a < count) & (a == np.floor(a)), grown == 0)):
            return None
        found.append(np.where(moved, a, -1).astype(np.min_scalar_type(-count - 1)))
    return found


def _views(call: Call, role: str) -> tuple[Strided, ...] | None:
    """How the results are views of the operand, each place read once or along whole
    dimensions."""

    def found() -> tuple[Strided, ...] | None:
        views = call.views(role)
        return views if views is not None and all(v.apart for v in views) else None

    return once(call, f"views {role}", found)


def _readers(call: Call, role: str, index: Index) -> list[Array] | None:
    """The places (terms, dimensions) of each result that read the operand's element; None where
    the operation does more than move."""
    shape = call.operands[role].shape
    flat = int(np.ravel_multi_index(index, shape)) if shape else 0
    views = _views(call, role)
    if views is not None:
        return [view.readers(flat) for view in views]
    found = sources(call, role)
    return None if found is None else [np.argwhere(origin == flat) for origin in found]


def _backward(call: Call, role: str, index: Index) -> list[Terms] | None:
    places = _readers(call, role, index)
    if places is None:
        return None
    return [
        back(call, at, local(np.ones(len(at)), "1"), slot=slot)
        for slot, at in enumerate(places)
        if call.results[slot].has_gradient
    ]


def _origin(call: Call, role: str, slot: int, index: Index) -> int | None:
    """The operand's flat place that a number of a result is from, −1 where it is not from there;
    None where the operation does more than move."""
    views = _views(call, role)
    if views is not None:
        return views[slot].place(index)
    found = sources(call, role)
    return None if found is None else int(found[slot][index])


def _forward(call: Call, slot: int, index: Index) -> list[Terms] | Worked | None:
    for role, operand in call.operands.items():
        if "float" not in operand.dtype:
            continue
        flat = _origin(call, role, slot, index)
        if flat is None:
            return None
        if flat >= 0:
            at = np.unravel_index(flat, operand.shape) if operand.shape else ()
            return [Terms((element(operand, grid(*(int(k) for k in at))),))]
    number = float(call.results[slot].array[index])
    return Worked("value", {"value": (None, (), number)})


def _same(call: Call, role: str, index: Index) -> list[Terms] | None:
    """Where every number stays in its place."""
    if role != next(iter(call.operands)):  # the tensor whose type another is given
        return []
    if call.results[0].shape != call.operands[role].shape:
        return None
    at = grid(*index)
    return [back(call, at, local(np.ones(1), "1"))]


def _kept(call: Call, slot: int, index: Index) -> list[Terms] | None:
    operand: Value = next(iter(call.operands.values()))
    if call.results[0].shape != operand.shape:
        return None
    return [Terms((element(operand, grid(*index)),))]


def _nothing(call: Call, role: str, index: Index) -> list[Terms]:
    return []


MOVING = [
    "view",
    "reshape",
    "view_as",
    "reshape_as",
    "flatten",
    "ravel",
    "unflatten",
    "squeeze",
    "unsqueeze",
    "transpose",
    "permute",
    "t",
    "T",
    "mT",
    "adjoint",
    "swapaxes",
    "swapdims",
    "moveaxis",
    "movedim",
    "expand",
    "expand_as",
    "broadcast_to",
    "broadcast_tensors",
    "repeat",
    "tile",
    "repeat_interleave",
    "__getitem__",
    "__setitem__",
    "narrow",
    "select",
    "index_select",
    "gather",
    "take",
    "take_along_dim",
    "masked_select",
    "cat",
    "concat",
    "concatenate",
    "stack",
    "hstack",
    "vstack",
    "dstack",
    "column_stack",
    "row_stack",
    "chunk",
    "split",
    "split_with_sizes",
    "tensor_split",
    "hsplit",
    "vsplit",
    "dsplit",
    "unbind",
    "unsafe_chunk",
    "unsafe_split",
    "flip",
    "fliplr",
    "flipud",
    "rot90",
    "roll",
    "pad",
    "tril",
    "triu",
    "diagonal",
    "diag",
    "diag_embed",
    "unfold",
    "as_strided",
    "meshgrid",
    "pixel_shuffle",
    "pixel_unshuffle",
    "channel_shuffle",
    "native_channel_shuffle",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "masked_scatter",
    "copy",
    "select_scatter",
    "slice_scatter",
    "diagonal_scatter",
    "_pack_padded_sequence",
    "_pad_packed_sequence",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "combinations",
    "cartesian_prod",
    "block_diag",
    "zero",
    "fill",
    "changed_in_place",
    "view_again",
]
STAYING = [
    "contiguous",
    "clone",
    "to",
    "type",
    "type_as",
    "float",
    "double",
    "half",
    "bfloat16",
    "cpu",
    "cuda",
    "alias",
    "positive",
    "pos",
    "requires_grad",
    "identity",
]

MOVED = Record(
    "view",
    "y[p] = x[q], where q is the place that p reads",
    {"input": "∂C/∂x[q] = Σ of δ[p] over the places p that read q"},
    "torch.Tensor.view, torch.cat, torch.Tensor.__getitem__ and the like",
    _backward,
    _forward,
    ANY,
)
STAYED = Record(
    "clone",
    "y[p] = x[p]",
    {"input": "∂C/∂x[p] = δ[p]"},
    "torch.Tensor.clone, torch.Tensor.to and the like",
    _same,
    _kept,
    ANY,
)
DETACHED = Record(
    "detach",
    "y[p] = x[p], as a constant",
    {"input": "∂C/∂x[p] = 0: nothing is passed back"},
    "torch.Tensor.detach",
    _nothing,
    _kept,
    ANY,
)
for _record, _names in ((MOVED, MOVING), (STAYED, STAYING), (DETACHED, ["detach", "data"])):
    record(_record, *(name for name in _names if name != _record.name))
