"""Where NaN and infinity come from: the first operation that made one, and of what."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch

from ...core.calls import Call, Value
from ...errors import MiyaInputError
from .functions import words
from .values import TensorCall, TensorValue

Index = tuple[int, ...]
FAR = 4  # how many steps back a reason is told
ELEMENTWISE = words(
    "add sub mul div pow rsub rdiv neg abs exp expm1 log log1p log2 log10 sqrt rsqrt reciprocal "
    "square sin cos tan tanh sigmoid relu leaky_relu gelu silu elu softplus logsigmoid clamp "
    "clamp_min clamp_max maximum minimum where masked_fill atanh asin acos cosh sinh erfinv "
    "float_power logit xlogy fmod dropout relu6 hardtanh mish celu selu softsign erf lgamma"
)
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^"}


def nonfinite(
    root: TensorValue, parameters: Mapping[str, TensorValue], name: Callable[[], None]
) -> MiyaInputError | None:
    """The error E412 where the loss or a parameter's gradient is not finite. name: gives every
    value its name."""
    slopes = [v.grad for v in parameters.values() if v.grad is not None]
    if _finite([root.tensor, *slopes]):
        return None
    name()
    if not _finite([root.tensor]):
        return _error(f"the loss is {_word(root.tensor.reshape(-1)[0])}", _forward(root))
    path, value = next(
        (n, v) for n, v in parameters.items() if v.grad is not None and not _finite([v.grad])
    )
    assert value.grad is not None
    return _error(f"the gradient of {path} is not finite", _backward(value))


def overflown(after: Mapping[str, torch.Tensor]) -> MiyaInputError | None:
    """The error E311 where the step made a parameter that is not finite."""
    if _finite([p.detach() for p in after.values()]):
        return None
    name = next(n for n, p in after.items() if not _finite([p.detach()]))
    return MiyaInputError(
        "E311", f"{name} is not finite after the step", hint="choose a smaller learning rate"
    )


def _error(what: str, told: str) -> MiyaInputError:
    return MiyaInputError(
        "E412", f"{what}: {told}", hint="keep the operand away from there (clamp, eps), or use a "
        "form that is stable, such as a loss on logits"
    )  # fmt: skip


def _finite(tensors: Iterable[torch.Tensor]) -> bool:
    """A finite sum has finite parts; only where it is not are they looked at."""
    tensors = [_dense(t) for t in tensors]
    sums = [t.float().sum() if t.element_size() < 4 else t.sum() for t in tensors]
    if all(math.isfinite(s) for s in _numbers(sums)):
        return True
    return all(bool(t.isfinite().all()) for t in tensors)


def _numbers(sums: list[torch.Tensor]) -> list[float]:
    """In one transfer, where they are of one type and on one device."""
    if len({(s.dtype, s.device) for s in sums}) == 1:
        return list(torch.stack(sums).tolist())
    return [s.item() for s in sums]


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    found = tensor.detach()
    return found.coalesce().values() if found.layout is torch.sparse_coo else found


def _forward(value: TensorValue) -> str:
    """From a value that is not finite back to the first operation that made one."""
    while value.call is not None:
        nan = bool(value.tensor.isnan().any())
        before = [v for v in _floats(value.call) if not _finite([v.tensor])]
        worse = [v for v in before if bool(v.tensor.isnan().any())] if nan else before
        further = worse or [v for v in before if not _meant(v)]
        if not further:
            return _made(value)
        value = further[0]
    where = _first(~value.tensor.isfinite())
    return f"the {value.kind} {value.name}{_at(where)} is {_word(value.tensor[where])}"


def _meant(value: TensorValue) -> bool:
    """Whether an infinity was put there on purpose: a mask."""
    call = value.call
    if call is None:
        return value.kind in ("constant", "buffer")
    given = [a for a in call.arguments.values() if isinstance(a, float)]
    constants = [v.tensor for v in _floats(call) if v.kind == "constant"]
    return any(a in (float("inf"), -float("inf")) for a in given) or not _finite(constants)


def _made(value: TensorValue) -> str:
    call = value.call
    assert call is not None
    bad = value.tensor.isnan() if value.tensor.isnan().any() else ~value.tensor.isfinite()
    where = _first(bad)
    place = f"{value.name}{_at(where)}"
    word = _word(value.tensor[where])
    of = [(v, _index_in(v, value, where)) for v in _floats(call)]
    near = [(v, i) for v, i in of if i is not None]
    name = call.name.strip("_")
    if near and len(near) == len(of) and name in ELEMENTWISE:
        parts = [_number(v.tensor[i]) for v, i in near]
        told = f" {SIGNS[name]} ".join(parts) if name in SIGNS and len(parts) == 2 else ""
        made = told or f"{name} of {' and '.join(parts)}"
        return f"{place} is {word}, {made}: " + "; ".join(_reason(v, i) for v, i in near)
    sizes = [
        f"{v.name} from {_number(v.tensor.min())} to {_number(v.tensor.max())}"
        for v, _ in of
        if v.size
    ]
    return f"{place} is {word}, made by {name} of {', '.join(sizes) or 'nothing'}"


def _reason(value: TensorValue, index: Index) -> str:
    """What an element is, and what it was made of where that is one element too."""
    told = f"{value.name}{_at(index)} is {_number(value.tensor[index])}"
    for _ in range(FAR):
        call = value.call
        of = [v for v in _floats(call) if v.kind == "result"] if call is not None else []
        if (
            call is None
            or call.name not in ELEMENTWISE
            or len(of) != 1
            or of[0].shape != value.shape
        ):
            break
        value = of[0]
        told += f", because {value.name}{_at(index)} is {_number(value.tensor[index])}"
    return told


def _backward(value: TensorValue) -> str:
    """From a gradient that is not finite on to the operation that passed it back first."""
    while True:
        further = [
            (r, call)
            for call, _ in value.uses
            for r in call.results
            if isinstance(r, TensorValue) and r.grad is not None and not _finite([r.grad])
        ]
        if not further:
            break
        value = further[0][0]
    for call, role in value.uses:
        if isinstance(call, TensorCall):
            passed = call.pass_back(role)
            if passed is not None and not _finite([passed]):
                return _passed(call, role, value, _dense(passed))
    return f"that of {value.name} is not finite"


def _passed(call: TensorCall, role: str, value: TensorValue, passed: torch.Tensor) -> str:
    where = _first(~passed.isfinite())
    name = call.name.strip("_")
    place = f" in {call.module}" if call.module else ""
    if len(where) != len(value.shape):
        return f"{name}{place} passes {_word(passed[where])} back to {value.name}"
    return (
        f"{name}{place} passes {_word(passed[where])} back to {value.name}{_at(where)}: "
        + _reason(value, where)
    )


def _floats(call: Call | None) -> list[TensorValue]:
    operands: Iterable[Value] = call.operands.values() if call is not None else ()
    return [v for v in operands if isinstance(v, TensorValue) and v.tensor.is_floating_point()]


def _index_in(operand: TensorValue, result: TensorValue, index: Index) -> Index | None:
    """The element of an operand that lies at this element of the result, as broadcasting goes."""
    try:
        fits = np.broadcast_shapes(operand.shape, result.shape) == result.shape
    except ValueError:
        return None
    if not fits or (not result.shape and operand.shape):
        return None
    tail = index[len(index) - len(operand.shape) :]
    return tuple(0 if n == 1 else k for k, n in zip(tail, operand.shape, strict=True))


def _first(mask: torch.Tensor) -> Index:
    return tuple(int(k) for k in mask.nonzero()[0]) if mask.dim() else ()


def _at(index: Index) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def _word(tensor: torch.Tensor) -> str:
    found = tensor.item()
    return "NaN" if found != found else "infinite" if found > 0 else "-infinite"


def _number(tensor: torch.Tensor) -> str:
    return f"{tensor.item():.6g}"
