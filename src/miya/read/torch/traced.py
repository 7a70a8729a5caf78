"""The ModelTrace of a step that was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from ...core.model import ModelTrace, Module, ParameterStep
from .names import also, by_name
from .notes import notes_of
from .optimizers import groups_of, optimizer_use, readable, states
from .runner import ModelRunner
from .values import to_array

if TYPE_CHECKING:
    from .step import Step


def trace_of(step: Step, title: str) -> ModelTrace:
    recorder = step.recorder
    values = by_name(recorder.made, recorder.visits)
    also(values, {a: name for name, tied in step.parameters.items() for a in tied.aliases})
    values.setdefault("loss", step.root)
    paths = _paths(step.model)
    also(values, {alias: first for first, *rest in paths.values() for alias in rest})
    groups = groups_of(step.optimizer)
    after = states(step.optimizer, step.named)
    floats = [t for t in (*step.named.values(), step.root.tensor) if t.is_floating_point()]
    return ModelTrace(
        title=title,
        calls=tuple(recorder.calls),
        values=values,
        root=step.root,
        inputs=tuple(step.given["input"]),
        outputs=tuple(step.output),
        targets=tuple(step.given["target"]),
        parameters={n: _parameter(step, n, groups, after.get(n, {})) for n in step.parameters},
        modules={p: _module(p, m) for p, m in step.model.named_modules()},
        optimizer=optimizer_use(step.optimizer),
        runner=ModelRunner(step),
        notes=tuple(notes_of(step)),
        dtype=str(floats[0].dtype).removeprefix("torch."),
        device=str(floats[0].device),
    )


def _paths(model: nn.Module) -> dict[int, list[str]]:
    """All the paths of each module: a shared one has several."""
    found: dict[int, list[str]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        found.setdefault(id(module), []).append(path)
    return found


def _module(path: str, module: nn.Module) -> Module:
    return Module(path, type(module).__name__, module.extra_repr(), module.training)


def _parameter(
    step: Step, name: str, groups: dict[int, int], after: dict[str, Any]
) -> ParameterStep:
    tied, value, before = step.parameters[name], step.values[name], step.before[name]
    p = tied.tensor
    group = groups.get(id(p))
    state = {"before": step.state_before.get(name, {}), "after": after}
    return ParameterStep(
        name,
        tied.aliases,
        value if value.uses else None,
        p.requires_grad and group is not None,
        group,
        tuple(p.shape),
        value.dtype,
        {
            "before": lambda: to_array(before),
            "after": lambda: to_array(p),
            "gradient": value.read_gradient,
        },
        lambda when: readable(state[when]),
    )
