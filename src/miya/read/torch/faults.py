"""What goes wrong in a step, said as a person can act on it: which module, which operation, the
shapes, and what would fit. The library's own error stays as the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ...errors import MiyaInputError
from .fitting import DTYPES, LOSSES, SHAPES, targets
from .memory import out_of_memory
from .recorder import Failure, values_in
from .values import TensorValue, parts_of, tensors_in

if TYPE_CHECKING:
    from .step import Step

Told = MiyaInputError | None


@contextmanager
def explained(step: Step) -> Iterator[None]:
    """Turn what is raised inside into a MiyaInputError."""
    try:
        yield
    except MiyaInputError:
        raise
    except Exception as error:
        if hooks_in_the_way(error):
            raise
        raise _translated(error, step) from error


def hooks_in_the_way(error: BaseException) -> bool:
    """Whether torch refuses an operation in place beside backward hooks on modules."""
    return "BackwardHookFunction" in str(error)


def _translated(error: Exception, step: Step) -> MiyaInputError:
    step.recorder.name()
    failure = step.recorder.failure
    if failure is None or failure.error is not error:
        failure = Failure(error, step.recorder.modules[-1] if step.recorder.modules else "")
    for rule in RULES:
        found = rule(error, failure, step)
        if found is not None:
            return found
    return _own_error(error, failure)


def _memory(error: Exception, failure: Failure, step: Step) -> Told:
    return out_of_memory(error, failure.module, step.recorder, step.only)


def _second_backward(error: Exception, failure: Failure, step: Step) -> Told:
    if "backward through the graph a second time" not in str(error):
        return None
    return MiyaInputError(
        "E405",
        "backward goes through a graph a second time: something in the computation was made by an "
        "earlier step, whose graph is gone",
        hint="detach what is kept from step to step: state.detach()",
    )


def _changed_in_place(error: Exception, failure: Failure, step: Step) -> Told:
    if "modified by an inplace operation" not in str(error):
        return None
    return MiyaInputError(
        "E416",
        "backward needs a value that an operation in place has overwritten: " + _line(error),
        hint="take the operation out of place (x = x + y for x += y)",
    )


def _one_example(error: Exception, failure: Failure, step: Step) -> Told:
    if "Expected more than 1" not in str(error):
        return None
    return MiyaInputError(
        "E313",
        f"{_place(failure)} normalises over the batch, and there is one example",
        hint="give two examples or more, or use model.eval()",
    )


def _devices(error: Exception, failure: Failure, step: Step) -> Told:
    operands = _operands(failure)
    devices = {str(v.tensor.device) for v in operands.values()}
    if len(devices) < 2:
        return None
    told = ", ".join(f"{v.name} on {v.tensor.device}" for v in operands.values())
    return MiyaInputError(
        "E410",
        f"{_place(failure)} ({failure.name}) meets several devices: {told}",
        hint="move the model and the data to one: model.to(device), x.to(device)",
    )


def _target(error: Exception, failure: Failure, step: Step) -> Told:
    if failure.name not in LOSSES or failure.arguments is None:
        return None
    found = targets(failure.name, failure.arguments, error)
    return MiyaInputError("E411", f"{failure.name}: {found[0]}", hint=found[1]) if found else None


def _dtype(error: Exception, failure: Failure, step: Step) -> Told:
    operands = _operands(failure)
    text = str(error)
    if not operands or not any(w in text for w in DTYPES):
        return None
    told = ", ".join(f"{v.name} is {v.dtype}" for v in operands.values())
    return MiyaInputError(
        "E409",
        f"{_place(failure)} ({failure.name}) cannot take these types together: {told}",
        hint=_dtype_hint(operands),
    )


def _dtype_hint(operands: dict[str, TensorValue]) -> str:
    weight = next((v for v in operands.values() if v.kind == "parameter"), None)
    if weight is None:
        return "convert one with .to(dtype)"
    return f"convert the input with .to(torch.{weight.dtype}), or the model with .to(dtype)"


def _shape(error: Exception, failure: Failure, step: Step) -> Told:
    operands = _operands(failure)
    if not operands or failure.arguments is None or not isinstance(error, _BY_SHAPE):
        return None
    rule = SHAPES.get(failure.name)
    found = rule(failure.arguments) if rule is not None else None
    shapes = ", ".join(f"{v.name} {tuple(v.shape)}" for v in operands.values())
    if found is None:
        what = f"{_place(failure)}: {failure.name} does not fit its operands ({shapes})"
        return MiyaInputError("E408", f"{what}: {_line(error)}")
    return MiyaInputError("E408", f"{_place(failure)} ({failure.name}): {found[0]}", hint=found[1])


_BY_SHAPE = (RuntimeError, ValueError, IndexError)


def _signature(error: Exception, failure: Failure, step: Step) -> Told:
    text = str(error)
    if not isinstance(error, TypeError) or "forward()" not in text or failure.name:
        return None
    return MiyaInputError(
        "E419",
        f"the inputs do not fit {_place(failure)}: {_line(error)}",
        hint="give several arguments as a tuple, and named ones as a dict",
    )


def _criterion(error: Exception, failure: Failure, step: Step) -> Told:
    """A loss that got an output with several parts."""
    told = _parts_of_output(step)
    if not told or failure.module.partition(".")[0] != "loss":
        return None
    return MiyaInputError(
        "E411",
        f"the loss cannot take what the model gives and the target: {_named(error)}",
        hint=f"let it choose: loss=lambda output, y: criterion(output{told}, y)",
    )


def _parts_of_output(step: Step) -> str:
    found = step.raw_output
    if found is None or isinstance(found, torch.Tensor):
        return ""
    first = next((k for k, v in parts_of(found).items() if tensors_in(v)), None)
    return "" if first is None else f".{first}" if isinstance(first, str) else f"[{first}]"


def _in_optimizer(error: Exception, failure: Failure, step: Step) -> Told:
    if not step.stepping:
        return None
    return MiyaInputError(
        "E415",
        f"{type(step.optimizer).__name__} cannot make its step: {_named(error)}",
        hint="choose other options of the optimizer",
    )


def _own_error(error: Exception, failure: Failure) -> MiyaInputError:
    return MiyaInputError(
        "E416",
        f"{_place(failure)} raised {_named(error)}",
        hint="the error's cause has the lines where it was raised",
    )


RULES: tuple[Callable[[Exception, Failure, Any], Told], ...] = (
    _memory,
    _second_backward,
    _changed_in_place,
    _one_example,
    _in_optimizer,
    _devices,
    _criterion,
    _target,
    _dtype,
    _shape,
    _signature,
)


def _operands(failure: Failure) -> dict[str, TensorValue]:
    found = list(values_in(failure.arguments or {}))
    return {str(k): v for k, v in enumerate(found)}


def _place(failure: Failure) -> str:
    return failure.module or "the model"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {_line(error)}"


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:240]
