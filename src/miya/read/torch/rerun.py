"""What credit and removal ask of a step's model when it is run again: in float64, an example at
a time, with neurons silenced, and on which side of its kinks it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from time import perf_counter
from typing import Any

import torch

from ...core.rerun import Silence
from ...core.rounding import Array
from .copies import _copied_criterion as copied_criterion
from .copies import copied_inputs
from .kinks import KinkMode
from .recorder import Recorder
from .values import TensorCall, TensorValue, tensors_in, to_array
from .visits import Visits

Change = Callable[[torch.Tensor], torch.Tensor]
CLEARLY = 1.3
SAME = 1e-11  # relative: how near the parts' losses must come to the whole one


class Silencer(Recorder):
    """Counts the calls as the recorder did, and sets what is to be silent to 0 as it is made."""

    def __init__(self, silences: tuple[Silence, ...]) -> None:
        super().__init__(gradients=False)
        self.silences: dict[int, list[Silence]] = {}
        for silence in silences:
            self.silences.setdefault(silence.call, []).append(silence)
        self.met = 0

    def begin(self, *_: object) -> None:
        self.paused = False

    def _file(
        self, call: TensorCall, values: tuple[TensorValue, ...], tensors: tuple[torch.Tensor, ...]
    ) -> None:
        super()._file(call, values, tensors)
        for silence in self.silences.get(call.number, ()):
            made = tensors[silence.slot]
            if call.name != silence.name or tuple(made.shape) != silence.shape:
                continue
            with torch.no_grad(), torch._C.DisableTorchFunction():
                made.select(silence.axis, silence.index).zero_()
            self.met += 1


class Reruns:
    """The part of a ModelRunner that credit and removal use."""

    step: Any
    before: dict[str, torch.Tensor]
    buffers: dict[str, torch.Tensor]

    def _tensors(self, parameters: Mapping[str, Array]) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def _loss(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        raise NotImplementedError

    def loss(self, parameters: Mapping[str, Array]) -> float:
        raise NotImplementedError

    def loss_and_gradients(self, parameters: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
        raise NotImplementedError

    @property
    def dtype(self) -> str:
        """Of the first parameter that is a floating one."""
        found = next((t for t in self.before.values() if t.is_floating_point()), None)
        return "float64" if found is None else str(found.dtype).removeprefix("torch.")

    def loss_without(
        self, silences: tuple[Silence, ...], parameters: Mapping[str, Array] | None = None
    ) -> float | None:
        """C with those elements at 0 as they are made; None where the model did not make them
        again."""
        mode = Silencer(silences)
        mode.paused = True  # until the model itself is called
        with torch.enable_grad(), self._counting(mode), mode:
            cost = self._loss(self._leaves(parameters or {}))
        return float(cost.detach()) if mode.met >= len(silences) else None

    @contextmanager
    def _counting(self, mode: Silencer) -> Iterator[None]:
        """While calls are counted as the step counted them: from the start of the model, or those
        inside the one module that was recorded."""
        if self.step.only is not None:
            with Visits(mode, self.step.model, self.step.criterion, self.step.only):
                yield
            return
        hook = self.step.model.register_forward_pre_hook(mode.begin, prepend=True)
        try:
            yield
        finally:
            hook.remove()

    def loss_and_sides(self, parameters: Mapping[str, Array]) -> tuple[float, list[Any]]:
        """C, and where each operation with a kink stands (`kinks.Zero`, `kinks.Chosen`)."""
        mode = KinkMode()
        with torch.enable_grad(), mode:
            cost = self._loss(self._leaves(parameters))
        return float(cost.detach()), mode.sides

    def _leaves(self, parameters: Mapping[str, Array]) -> dict[str, torch.Tensor]:
        """As in the step itself: where gradients are wanted, torch chooses other ways through
        attention than where they are not."""
        made = self._tensors(parameters)
        return {
            n: t.detach().requires_grad_(t.is_floating_point() and self._wanted(n))
            for n, t in made.items()
        }

    def _wanted(self, name: str) -> bool:
        return bool(self.step.named[name].requires_grad)

    def widened(self) -> Any:
        """The same in float64, or itself where it already is or cannot be."""
        if self.dtype == "float64":
            return self
        try:
            wide = self._with(_wide, **_widened(self.step))
            wide.before = {n: _wide(t) for n, t in self.before.items()}
            wide.buffers = {n: _wide(t) for n, t in self.buffers.items()}
            wide.loss_and_gradients(wide._one())
        except (RuntimeError, TypeError, ValueError, NotImplementedError):
            return self
        return wide

    def parts(self, size: int) -> list[tuple[float, Any]] | None:
        """Runs of `size` examples, each with what its loss counts, whose losses add up to C; None
        where they do not (batch statistics, masks drawn for a whole batch)."""
        count = self._examples()
        if count is None or size < 1:
            return None
        if count <= size:
            return [(1.0, self)]
        whole = self.loss({})
        starts = range(0, count, size)
        try:
            runs = [self._with(_cut(k, min(k + size, count), count)) for k in starts]
            losses = [run.loss({}) for run in runs]
        except (RuntimeError, ValueError, IndexError, TypeError):
            return None
        sizes = [min(size, count - k) for k in starts]
        for weights in ([s / count for s in sizes], [1.0] * len(sizes)):
            total = sum(w * c for w, c in zip(weights, losses, strict=True))
            if abs(total - whole) <= SAME * max(abs(whole), 1e-300):
                return list(zip(weights, runs, strict=True))
        return None

    def _examples(self) -> int | None:
        given = tensors_in(self.step.inputs)
        return int(given[0].shape[0]) if given and given[0].dim() else None

    def _with(self, change: Change, **other: Any) -> Any:
        """The runner of the same step with changed inputs and targets."""
        step = copy(self.step)
        for name, value in other.items():
            setattr(step, name, value)
        step.inputs, step.target = _mapped(step.inputs, change), _mapped(step.target, change)
        made = copy(self)
        made.step = step
        return made

    @contextmanager
    def quickly(self) -> Iterator[None]:
        """With one thread where more are not clearly quicker: a small run waits for its threads,
        and longer where other programs run too."""
        count = torch.get_num_threads()
        try:
            if count > 1 and self._timed(1) < CLEARLY * self._timed(count):
                torch.set_num_threads(1)
            yield
        finally:
            torch.set_num_threads(count)

    def _one(self) -> dict[str, Array]:
        """The first parameter that has a gradient: it takes the whole way back."""
        grads = ((n, self.step.values[n].grad) for n in self.before)
        name = next((n for n, g in grads if g is not None), next(iter(self.before)))
        return {name: to_array(self.before[name])}

    def _timed(self, threads: int) -> float:
        torch.set_num_threads(threads)
        given, took = self._one(), []
        for _ in range(3):
            start = perf_counter()
            self.loss_and_gradients(given)
            took.append(perf_counter() - start)
        return min(took)


def _mapped(found: Any, change: Change) -> Any:
    return copied_inputs(found, {id(t): change(t) for t in tensors_in(found)})


def _widened(step: Any) -> dict[str, Any]:
    """The step's modules and what they hold, in float64; autocast would narrow it again."""
    memo: dict[int, Any] = {}
    model = deepcopy(step.model, memo)
    criterion = copied_criterion(step.criterion, memo)
    held = {path: _mapped(found, _wide) for path, found in step.attributes.items()}
    autocast = tuple((device, False, dtype) for device, _, dtype in step.autocast)
    if isinstance(criterion, torch.nn.Module):
        criterion = criterion.double()
    return {
        "model": model.double(),
        "criterion": criterion,
        "attributes": held,
        "autocast": autocast,
    }


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().double() if tensor.is_floating_point() else tensor


def _cut(low: int, high: int, count: int) -> Change:
    def cut(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[low:high] if tensor.dim() and tensor.shape[0] == count else tensor

    return cut
