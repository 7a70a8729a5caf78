"""Which operation stands in for which of torch's, where parameters meet examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F

from ..errors import MiyaInputError
from ..read.torch.functions import names_of, words
from ..read.torch.recurrent import RECURRENT
from .each import apart, leaf, spread
from .layout import Layout, Where
from .meetings import Affine, Convolution, LayerNorm, Linear, Meet, Meeting, Place, Table
from .sources import Source, Unknown
from .windows import Geometry

if TYPE_CHECKING:
    from .capture import Capture

Tensor = torch.Tensor


@dataclass
class Call:
    """One call in which parameters (`held`) meet examples (`tracked`)."""

    capture: Capture
    func: Any
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tracked: list[tuple[Tensor, Where]]
    held: list[Source]

    @cached_property
    def given(self) -> dict[str, Any]:
        names = names_of(self.func, self.name, self.args)
        found = {
            (names[k] if k < len(names) else f"argument{k}"): a for k, a in enumerate(self.args)
        }
        return {**found, **self.kwargs}

    @property
    def functional(self) -> bool:
        """Whether it is the function of torch.nn.functional, whose arguments are known."""
        return getattr(self.func, "__module__", "") == F.__name__

    def layout(self, x: Tensor) -> Layout:
        """Raises Unknown where nobody knows where the examples of x are."""
        where = self.capture.where(x)
        if isinstance(where, Layout):
            return where
        raise Unknown(where.why if where else f"gives {self.name} no examples")

    def place(self, x: Tensor) -> Place:
        return Place(self.capture.book, self.layout(x))

    def part(self, p: Tensor | None) -> tuple[Tensor | None, Source | None]:
        """A parameter's numbers, and where they come from; the book expects its use."""
        if p is None:
            return None, None
        source = self.capture.source(p)
        if source is not None:
            self.capture.book.expect(source)
        return p.detach() if source else p, source

    def meet(self, x: Tensor, meeting: Meeting, where: Layout) -> Tensor:
        meeting = self.capture.standing_in(meeting)
        made = cast(Tensor, Meet.apply(self.capture.anchor, x, meeting))  # type: ignore[no-untyped-call]
        self.capture.mark(made, where)
        return made

    def apart(self) -> Any:
        return spread(self) if self.name in ELEMENTWISE else apart(self)


Rule = Callable[[Call], Any]  # None: it does not apply

ELEMENTWISE = words(
    "add sub rsub mul div true_divide rdiv pow maximum minimum where lerp addcmul addcdiv atan2 "
    "copysign hypot fmod xlogy logaddexp"
)


def _is_held(call: Call, *tensors: Any) -> bool:
    """Whether these are parameters or numbers without examples, at least one a parameter."""
    found = [t for t in tensors if isinstance(t, Tensor)]
    return all(call.capture.where(t) is None for t in found) and any(
        call.capture.source(t) is not None for t in found
    )


def _linear(call: Call) -> Any:
    x, weight, bias = (call.given.get(k) for k in ("input", "weight", "bias"))
    assert isinstance(x, Tensor)
    if not _is_held(call, weight, bias) or weight.dim() != 2 or x.dim() < 2:  # type: ignore[union-attr]
        return None
    return _affine_map(call, x, weight, bias, turned=False)  # type: ignore[arg-type]


def _affine_map(
    call: Call, x: Tensor, weight: Tensor, bias: Tensor | None, *, turned: bool
) -> Tensor | None:
    place = call.place(x)
    if place.where.axis == x.dim() - 1:
        raise Unknown(f"sums over the examples ({call.name})")
    (w, of_w), (b, of_b) = call.part(weight), call.part(bias)
    assert w is not None
    return call.meet(x, Linear(place, w, b, of_w, of_b, turned), place.where)


def _matmul(call: Call) -> Any:
    x, weight = list(call.given.values())[:2]
    if not _is_held(call, weight) or weight.dim() != 2 or x.dim() < 2:
        return None
    return _affine_map(call, x, weight, None, turned=True)


def _addmm(call: Call) -> Any:
    bias, x, weight = (call.given.get(k) for k in ("input", "mat1", "mat2"))
    plain = call.given.get("beta", 1) == 1 and call.given.get("alpha", 1) == 1
    if not plain or not _is_held(call, weight) or bias is None or bias.dim() != 1:
        return None
    if call.capture.where(bias) is not None:
        return None
    return _affine_map(call, x, weight, bias, turned=True)  # type: ignore[arg-type]


def _many(found: Any, count: int) -> tuple[int, ...]:
    return (int(found),) * count if isinstance(found, int) else tuple(int(f) for f in found)


def _convolution(call: Call) -> Any:
    given, count = call.given, int(call.name[-2])
    x, weight, bias = given["input"], given["weight"], given.get("bias")
    if not _is_held(call, weight, bias):
        return None
    place = call.place(x)
    if x.dim() != count + 2 or place.where.axis != 0:
        raise Unknown(f"calls {call.name} on examples along dimension {place.where.axis}")
    transposed = "transpose" in call.name
    dilation = _many(given.get("dilation", 1), count)
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        sizes = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        x, padding = _padded(call, x, [0] * count if padding == "valid" else sizes), 0
        place = call.place(x)
    geometry = Geometry(
        _many(given.get("stride", 1), count),
        _many(padding, count),
        dilation,
        int(given.get("groups", 1)),
        transposed,
        _many(given.get("output_padding", 0), count) if transposed else (),
    )
    (w, of_w), (b, of_b) = call.part(weight), call.part(bias)
    assert w is not None
    return call.meet(x, Convolution(place, w, b, of_w, of_b, geometry), place.where)


def _padded(call: Call, x: Tensor, sizes: Sequence[int]) -> Tensor:
    """padding="same": the odd one goes to the right, as in torch."""
    pads = [p for size in reversed(sizes) for p in (size // 2, size - size // 2)]
    with call.capture:
        return F.pad(x, pads)


def _embedding(call: Call) -> Any:
    given = call.given
    if not call.functional or not _is_held(call, given["weight"]):
        return None
    if given.get("max_norm") is not None:
        raise MiyaInputError(
            "E763",
            "an embedding with max_norm changes its weights while they are read, by what the "
            "other examples look up",
            hint="leave max_norm out, and clip the weights after the step",
        )
    if given.get("scale_grad_by_freq"):
        raise Unknown("scales the gradient of an embedding by how often it is used")
    return _looked_up(call, given["input"], given["weight"], given.get("padding_idx"))


def _looked_up(call: Call, x: Tensor, weight: Tensor, padding: int | None) -> Tensor:
    place = call.place(x)
    w, of_w = call.part(weight)
    assert w is not None and of_w is not None
    return call.meet(x, Table(place, w, of_w, padding), place.where)


def _indexed(call: Call) -> Any:
    table, index = call.args[0], call.args[1]
    whole = isinstance(index, Tensor) and index.dtype in (torch.int64, torch.int32)
    if not whole or not _is_held(call, table) or table.dim() != 2:
        return None
    return _looked_up(call, index, table, None)


def _layer_norm(call: Call) -> Any:
    """In one pass with its scale and shift, where it has both the input's type."""
    x, weight, bias = (call.given.get(k) for k in ("input", "weight", "bias"))
    if not call.functional or not call.capture.fused or x is None or weight is None:
        return _normed(call)
    if weight.dtype != x.dtype or (bias is not None and bias.dtype != x.dtype):
        return _normed(call)
    place = call.place(x)
    if place.where.axis >= x.dim() - weight.dim():
        raise Unknown("sums over the examples (layer_norm)")
    (w, of_w), (b, of_b) = call.part(weight), call.part(bias)
    assert w is not None
    eps = float(call.given.get("eps", 1e-5))
    return call.meet(x, LayerNorm(place, w, b, of_w, of_b, eps), place.where)


def _normed(call: Call) -> Any:
    """A norm is worked out without its scale and shift, which then meet what it gives."""
    given = dict(call.given)
    if not call.functional:
        return None
    weight, bias = given.pop("weight", None), given.pop("bias", None)
    with call.capture:
        x = call.func(**given)
    place, channels = call.place(x), call.name not in ("layer_norm", "rms_norm")
    if channels and place.where.axis != 0:
        raise Unknown(f"calls {call.name} on examples along dimension {place.where.axis}")
    (w, of_w), (b, of_b) = call.part(weight), call.part(bias)
    if w is None:
        w = torch.ones_like(b)  # type: ignore[arg-type]
    return call.meet(x, Affine(place, w, b, of_w, of_b, channels), place.where)


def refuse_batch_statistics(call: Call) -> None:
    """Raises MiyaInputError E762."""
    if call.name == "batch_norm" and call.given.get("training"):
        raise MiyaInputError(
            "E762",
            "a batch norm uses the statistics of the batch, which mix its examples: no example "
            "has a loss or a gradient of its own",
            hint="call model.eval() first, so that it uses its running statistics; without any "
            "(track_running_stats=False) use GroupNorm",
        )


class _Silent:
    """Names nothing (read/torch/steps.py: Steps)."""

    @contextmanager
    def within(self, *path: str) -> Iterator[None]:
        yield

    def named(self, word: str, tensor: Tensor) -> Tensor:
        return tensor


def _recurrent(call: Call) -> Any:
    """Through time, step by step, so that each use of a weight is seen."""
    given, batch = dict(call.given), call.capture.book.batch
    if "batch_sizes" in given:
        raise Unknown("runs packed sequences, whose examples end at different times")
    if not call.name.endswith("_cell"):
        states = given["hx"] if isinstance(given["hx"], (tuple, list)) else (given["hx"],)
        axis = 1
    else:
        held = given["hx"]
        states, axis = held if isinstance(held, (tuple, list)) else (held,), 0
    for state in states:
        if call.capture.where(state) is None and state.shape[axis] == batch:
            call.capture.mark(state, Layout(axis))
    given["hx"] = tuple(states) if len(states) > 1 else states[0]
    with call.capture:
        return RECURRENT[call.name](given, _Silent())  # type: ignore[arg-type]


def _expanded(call: Call) -> Any:
    """A parameter repeated for every example (a class token): from here on it has examples."""
    (source,), batch = call.held, call.capture.book.batch
    p = source.tensor
    if call.tracked or call.args[0] is not p:
        return None
    made = call.func(*call.args, **call.kwargs)
    lead = made.dim() - p.dim()
    for axis, size in enumerate(made.shape):
        if size == batch and (axis < lead or p.shape[axis - lead] == 1):
            return spread_over(call, source, made, axis)
    call.capture.derive(call.func, call.name, call.args, call.kwargs, call.held, made)
    return made


def spread_over(call: Call, source: Source, made: Tensor, axis: int) -> Tensor:
    """The repeated parameter as a tensor with examples along `axis`; its gradient by example."""
    view = leaf(call, source, axis - (made.dim() - source.tensor.dim()))
    function = call.func
    if call.name in ("expand", "expand_as", "broadcast_to"):
        found = view.expand(made.shape)
    else:
        times = list(call.args[1]) if isinstance(call.args[1], (tuple, list)) else [*call.args[1:]]
        times[axis] = 1
        found = function(view, *times)
    call.capture.mark(found, Layout(axis))
    return found


def _each(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: Mapping[str, Rule] = {
    "linear": _linear,
    **_each(_matmul, "matmul mm"),
    "addmm": _addmm,
    **_each(
        _convolution,
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    ),
    "embedding": _embedding,
    **_each(_indexed, "__getitem__ getitem"),
    "layer_norm": _layer_norm,
    **_each(_normed, "rms_norm batch_norm group_norm instance_norm"),
    **dict.fromkeys(RECURRENT, _recurrent),
    **_each(_expanded, "expand expand_as repeat broadcast_to"),
}
