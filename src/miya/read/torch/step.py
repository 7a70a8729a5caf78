"""One real training step of a copy of a model, recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import nn

from ...core.calls import Kind
from ...core.model import ModelTrace
from ...errors import MiyaWarning
from .applying import apply_step
from .calling import call_model, loss_of, named
from .checks import (
    check_gradients,
    check_kinds,
    check_loss,
    check_model,
    check_only,
    check_outcome,
    foreign_tensors,
)
from .copies import Notes, copied_inputs, copies, unwrapped
from .faults import explained, hooks_in_the_way
from .garbage import recorded
from .generators import Generators, autocast_now, process_untouched
from .numpy_inputs import check_not_empty, converter
from .optimizers import (
    checked_optimizer,
    kept_gradient,
    leaves_gradients,
    made_optimizer,
    needs_closure,
    states,
    take_step,
)
from .parameters import Tied, tied_parameters
from .recorder import Recorder
from .runner import attributes_of
from .traced import trace_of
from .unrecorded import file_outside
from .values import TensorValue, tensors_in
from .visits import Visits

Loss = Callable[..., Any]


def model_step(
    model: nn.Module,
    inputs: Any,
    target: Any = None,
    *,
    loss: Loss | None = None,
    optimizer: Any = None,
    apply: bool = False,
    only: str | None = None,
    title: str = "",
) -> ModelTrace:
    """One training step of `model`, on a copy, as a ModelTrace.

    The step: gradients to None, C worked out, backward, the optimizer's step. The model's own
    hooks run on the copy as part of it. Everything of the user's is left bit for bit as it was,
    random generators and modes included, also where an error is raised.

    inputs: a tensor or a NumPy array, a tuple of arguments, or a dict of named ones. target,
    loss: C is loss(model(inputs), target), or loss(model(inputs)) without a target; without a loss
    the model gives C itself (or a `loss` among its outputs). optimizer: a torch.optim optimizer of
    the model's parameters, or what makes one of parameters: a class or a function; without one
    nothing moves.
    apply: make the same step on the model and the optimizer themselves, once all has gone well.
    only: record the calls inside this module (its path) and the loss, to fit in memory.
    Raises MiyaInputError E208, E312, E313, E401, E402, E405, E407 to E420.
    """
    notes: Notes = []
    check_kinds(model, loss)
    model = unwrapped(model, notes)
    given = Given(model, inputs, target, loss, optimizer, only, notes, {})
    before = Generators()
    done = False
    try:
        with process_untouched():
            step = _ran(given)
            trace = trace_of(step, title or type(model).__name__)
            if apply:
                step.apply()
        done = apply
    finally:
        if not done:
            given.restore(before)
    for code, text in trace.notes:
        warnings.warn(f"{code} {text}", MiyaWarning, stacklevel=2)
    return trace


def _ran(given: Given) -> Step:
    """The step, made once more without the modules' own backward hooks where torch refuses them
    beside operations in place."""
    before = Generators()
    step = Step(given)
    try:
        step.run()
        return step
    except RuntimeError as error:
        if not hooks_in_the_way(error):
            raise
    given.restore(before)
    given.notes.append(
        ("W404", "an operation in place meets your backward hooks on modules: they were left out")
    )
    step = Step(given)
    for module in step.model.modules():
        module._backward_hooks.clear()
        module._backward_pre_hooks.clear()
    step.run()
    return step


class Given(NamedTuple):
    """What `model_step` was given."""

    model: nn.Module
    inputs: Any
    target: Any
    loss: Any
    optimizer: Any
    only: str | None
    notes: Notes
    own_generators: dict[int, tuple[torch.Generator, torch.Tensor]]

    def restore(self, before: Generators) -> None:
        """Every random generator as it was, the user's own included."""
        before.restore()
        for generator, state in self.own_generators.values():
            generator.set_state(state)


class Step:
    """The copies that the step works on, and what came of it."""

    def __init__(self, given: Given) -> None:
        model, loss, optimizer, only = given.model, given.loss, given.optimizer, given.only
        self.theirs, self.notes, self.only = (model, loss), given.notes, only
        self.raw_output: Any = None
        self.stale: list[TensorValue] = []  # values changed where the recorder could not see it
        self.stepping = False  # whether the optimizer is at work
        check_only(model, only)
        check_model(model)
        self.loss_prefix = "loss."
        own = {n: t.tensor for n, t in tied_parameters(model, loss, self.loss_prefix).items()}
        self.their_optimizer = checked_optimizer(optimizer, own)
        self.recorder = Recorder()
        self.own_generators = self.recorder.generators = given.own_generators
        made = copies(model, self.their_optimizer, loss)
        self.model, self.criterion, self.kept = made.model, made.criterion, made.kept
        self.parameters: dict[str, Tied] = tied_parameters(
            self.model, self.criterion, self.loss_prefix
        )
        self.named = {n: t.tensor for n, t in self.parameters.items()}
        self.optimizer = made.optimizer
        if self.optimizer is None and optimizer is not None:
            self.optimizer = made_optimizer(optimizer, list(self.named.values()))
        self.own = own
        self._copy_inputs(given.inputs, given.target)

    def _copy_inputs(self, inputs: Any, target: Any) -> None:
        memo: dict[int, torch.Tensor] = {}
        convert = converter(self.model, self.criterion, self.notes)
        self.running = (
            copied_inputs(inputs, memo, lambda a: convert(a, "input")),
            copied_inputs(target, memo, lambda a: convert(a, "target")),
        )
        check_not_empty(self.running[0])
        self.generators, self.autocast = Generators(), autocast_now()
        self.attributes = attributes_of(self.model)
        self.before = {name: p.detach().clone() for name, p in self.named.items()}
        self.buffers = {n: b.detach().clone() for n, b in self._buffers()}
        self.values: dict[str, TensorValue] = {}
        self.pristine: dict[int, TensorValue] = {}  # by the id of a copied input
        self.state_before: dict[str, dict[str, Any]] = {}

    def _buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        yield from self.model.named_buffers()
        if isinstance(self.criterion, nn.Module):
            yield from self.criterion.named_buffers(prefix=self.loss_prefix[:-1])

    def run(self) -> None:
        """Make the step. Raises MiyaInputError for whatever goes wrong in it."""
        recorder = self.recorder
        with explained(self):
            self._give()
            recorder.keeping = False
            with Visits(recorder, self.model, self.criterion, self.only) as visits, recorder:
                output = call_model(self.model, self.running[0])
                self.raw_output = output
                if self.only is not None:
                    names = {n: (n, *tied.aliases) for n, tied in self.parameters.items()}
                    file_outside(recorder, output, self.only, names)
                with visits.loss():
                    cost = loss_of(output, self.running[1], self.criterion)
            check_loss(cost, self)
            self.root = recorder.value_of(cost)
            self.output = [recorder.value_of(t) for t in tensors_in(output)]
            self._keep_counts()
            recorder.keeping = True
            cost.backward()
            recorder.keeping = False
            self._keep_gradients()
            check_gradients(self)
            self.stale = [v for v in recorder.made if v.tensor._version != v.version]
            if self.optimizer is not None:
                self._keep_views_of_parameters()
                self.stepping = True
                if needs_closure(self.optimizer):
                    self._keep_state()
                take_step(self.optimizer, self._again, cost)
            self._keep_values()
            check_outcome(self)
            recorded(2 * sum(v.tensor.nbytes for v in recorder.made))

    def _give(self) -> None:
        """Tell the recorder what is there before, and what must not be read."""
        recorder = self.recorder
        for name, p in self.named.items():
            p.grad = None
            home = self.parameters[name].module
            self.values[name] = recorder.given(p, name, "parameter", home)
        for name, b in self._buffers():
            recorder.given(b, name, "buffer", name.rpartition(".")[0])
        self.given = {
            "input": [self._given(t, name, "input") for name, t in named(self.running[0], "input")],
            "target": [
                self._given(t, name, "target") for name, t in named(self.running[1], "target")
            ],
        }
        recorder.foreign = foreign_tensors(self.own, self.kept, self.model)

    def _given(self, tensor: torch.Tensor, name: str, kind: Kind) -> TensorValue:
        known = self.recorder.known.get(id(tensor))
        value = known[1] if known else self.recorder.given(tensor, name, kind)
        self.pristine[id(tensor)] = value
        return value

    def _keep_gradients(self) -> None:
        safe = self.optimizer is None or leaves_gradients(self.optimizer)
        for name, p in self.named.items():
            self.values[name].grad = None if p.grad is None else kept_gradient(p.grad, safe)
        self.state_before = states(self.optimizer, self.named)

    def _keep_views_of_parameters(self) -> None:
        """A view of a parameter (`weight.T`) keeps the numbers from before the step."""
        where = {p.untyped_storage()._cdata: (p, self.before[n]) for n, p in self.named.items()}
        for value in self.recorder.made:
            tensor = value.tensor
            if tensor.layout is not torch.strided or value.kind == "parameter":
                continue
            found = where.get(tensor.untyped_storage()._cdata)
            if found is None:
                continue
            p, before = found
            offset = int(tensor.storage_offset()) - int(p.storage_offset())
            if tensor.dtype == p.dtype and p.stride() == before.stride() and offset >= 0:
                value.tensor = before.as_strided(tensor.shape, tensor.stride(), offset)
            else:
                value.tensor = tensor.detach().clone()

    def _keep_counts(self) -> None:
        """Buffers that the model has counted on (`num_batches_tracked`): a checkpoint, which works
        its part out a second time on the way back, counts once more."""
        for _, buffer in self._buffers():
            known = self.recorder.known.get(id(buffer))
            if known is not None and known[1].kind == "result":
                self.recorder.keep_what_is_overwritten(buffer)

    def _keep_state(self) -> None:
        """An optimizer that works C out again changes buffers and inputs again."""
        live = [b for _, b in self._buffers()]
        for tensor in (*live, *(t for found in self.running for t in tensors_in(found))):
            self.recorder.keep_what_is_overwritten(tensor)

    def _again(self) -> torch.Tensor:
        """C and its gradients once more, for an optimizer that asks for them."""
        for p in self.named.values():
            p.grad = None
        output = call_model(self.model, self.running[0])
        cost: torch.Tensor = loss_of(output, self.running[1], self.criterion)
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    def _keep_values(self) -> None:
        for name, value in self.values.items():
            value.tensor = self.before[name]
        self.recorder.finish()
        self.grads = {name: p.grad for name, p in self.named.items()}
        memo = {key: value.tensor for key, value in self.pristine.items()}
        self.inputs, self.target = (copied_inputs(found, memo) for found in self.running)

    def apply(self) -> None:
        """Make the same step on the user's own model, optimizer and loss."""
        pairs = [
            (ours, theirs)
            for ours, theirs in zip((self.model, self.criterion), self.theirs, strict=True)
            if isinstance(theirs, nn.Module)
        ]
        apply_step(pairs, self.optimizer, self.their_optimizer)
