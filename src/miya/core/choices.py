"""What a description chooses by name: activation, loss, optimizer and learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from ..errors import MiyaInputError, Path
from . import activations, losses, optimizers
from .numbers_in import scalar, show, vector, warn

LONGEST_NAME = 40  # of our own names


def known(table: Mapping[str, Any], keys: Sequence[str], where: str, path: Path) -> None:
    for key in table:
        if key not in keys:
            near = _near(key, keys)
            hint = f"did you mean {near}?" if near else f"known keys: {', '.join(keys)}"
            raise MiyaInputError(
                "E213", f"{where} has an unknown key {show(key)}", hint=hint, path=(*path, key)
            )


def _near(given: Any, names: Iterable[str]) -> str:
    """The name that was probably meant, or ""."""
    text = given[:LONGEST_NAME].lower() if isinstance(given, str) else ""
    return next(iter(get_close_matches(text, list(names), 1)), "")


def need(table: Mapping[str, Any], key: str, where: str, path: Path, hint: str) -> Any:
    if table.get(key) is None:
        raise MiyaInputError("E212", f"{where} has no {key}", hint=hint, path=path)
    return table[key]


@dataclass(frozen=True)
class Choice:
    """A name, or a table with a name and options: activation, loss or optimizer."""

    name: str
    options: Mapping[str, Any]


def choose(value: Any, kinds: Mapping[str, Any], where: str, path: Path) -> Choice:
    table = value if isinstance(value, Mapping) else {"name": value}
    name = table.get("name")
    if name is None:
        raise MiyaInputError(
            "E212", f"{where} has no name", hint=f"choose {', '.join(kinds)}", path=path
        )
    if not isinstance(name, str) or name not in kinds:
        near = _near(name, kinds)
        known_names = ", ".join(kinds)
        hint = f"did you mean {near}? Known: {known_names}" if near else f"known: {known_names}"
        raise MiyaInputError(
            "E304",
            f"{where} {show(name)} is unknown",
            hint=hint,
            path=(*path, "name") if isinstance(value, Mapping) else path,
        )
    return Choice(name, {k: v for k, v in table.items() if k != "name"})


def activation(value: Any, where: str, path: Path) -> activations.Activation:
    choice = choose(value, activations.KINDS, f"{where}, activation", path)
    kind = activations.KINDS[choice.name]
    known(choice.options, list(kind.defaults), f"{where}, activation {choice.name}", path)
    given = {
        key: scalar(v, f"{where}, activation.{key}", (*path, key))
        for key, v in choice.options.items()
    }
    return activations.Activation(kind, {**kind.defaults, **given})


def loss(description: Mapping[str, Any]) -> losses.Loss:
    hint = f"choose {', '.join(losses.KINDS)}"
    value = need(description, "loss", "the network", (), hint)
    choice = choose(value, losses.KINDS, "loss", ("loss",))
    kind = losses.KINDS[choice.name]
    reductions = ["reduction", "outputs", "examples"]
    if kind.target == "classes":
        reductions.remove("outputs")
    known(choice.options, [*reductions, *kind.defaults], f"loss {choice.name}", ("loss",))
    both = _reduction(choice.options, "reduction", None)
    outputs = _reduction(choice.options, "outputs", both or kind.outputs)
    examples = _reduction(choice.options, "examples", both or kind.examples)
    assert outputs is not None and examples is not None
    given = {
        key: _positive(choice.options[key], f"loss.{key}", ("loss", key))
        for key in kind.defaults
        if key in choice.options
    }
    outputs = "sum" if kind.target == "classes" else outputs
    return losses.Loss(kind, outputs, examples, {**kind.defaults, **given})


def _reduction(
    options: Mapping[str, Any], key: str, default: losses.Reduction | None
) -> losses.Reduction | None:
    value = options.get(key, default)
    if value is not None and (not isinstance(value, str) or value not in ("sum", "mean")):
        raise MiyaInputError(
            "E304",
            f"loss.{key} {show(value)} is unknown",
            hint="choose sum or mean",
            path=("loss", key),
        )
    return cast("losses.Reduction | None", value)


def _positive(value: Any, where: str, path: Path) -> float:
    number = scalar(value, where, path)
    if number <= 0:
        raise MiyaInputError(
            "E310", f"{where} is {number:g}", hint="give a number above 0", path=path
        )
    return number


def optimizer(description: Mapping[str, Any]) -> tuple[optimizers.Optimizer, float]:
    value = description.get("optimizer", "sgd")
    choice = choose(value, optimizers.KINDS, "optimizer", ("optimizer",))
    kind = optimizers.KINDS[choice.name]
    known(choice.options, ["lr", *kind.defaults], f"optimizer {choice.name}", ("optimizer",))
    options: dict[str, float | bool | tuple[float, float]] = dict(kind.defaults)
    for key, given in choice.options.items():
        if key != "lr":
            options[key] = _option(key, given, kind.defaults[key])
    if options.get("nesterov") and not (options["momentum"] and not options["dampening"]):
        raise MiyaInputError(
            "E314",
            "optimizer.nesterov needs a momentum above 0 and no dampening",
            hint="set momentum = 0.9, or leave nesterov out",
            path=("optimizer", "nesterov"),
        )
    rate = _rate(description.get("learning_rate"), choice.options.get("lr"))
    return optimizers.Optimizer(kind, options), rate


def _option(key: str, value: Any, default: object) -> float | bool | tuple[float, float]:
    where, path = f"optimizer.{key}", ("optimizer", key)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise MiyaInputError(
                "E314", f"{where} is {show(value)}", hint="write true or false", path=path
            )
        return value
    if isinstance(default, tuple):
        betas = vector(value, where, path)
        if len(betas) != 2 or not ((betas >= 0) & (betas < 1)).all():
            raise MiyaInputError(
                "E314",
                f"{where} is {show(value)}",
                hint="give two numbers from 0 to below 1, such as [0.9, 0.999]",
                path=path,
            )
        return float(betas[0]), float(betas[1])
    number = scalar(value, where, path)
    if number < 0 and key != "dampening":
        raise MiyaInputError(
            "E314", f"{where} is {number:g}", hint="give a number from 0 up", path=path
        )
    return number


def _rate(given: Any, lr: Any) -> float:
    if given is None and lr is None:
        raise MiyaInputError(
            "E212", "the network has no learning_rate", hint="add learning_rate = 0.1", path=()
        )
    path: Path = ("learning_rate",) if given is not None else ("optimizer", "lr")
    value = given if given is not None else lr
    try:
        rate = scalar(value, "learning_rate", path)
    except MiyaInputError as error:
        if error.code not in ("E201", "E202"):
            raise
        raise MiyaInputError(
            "E303", f"learning_rate is {show(value)}", hint="give a finite number", path=path
        ) from None
    if given is not None and lr is not None and scalar(lr, "optimizer.lr", path) != rate:
        raise MiyaInputError(
            "E303",
            f"learning_rate is {rate:g} and optimizer.lr is {show(lr)}",
            hint="give one of them",
            path=("optimizer", "lr"),
        )
    if rate < 0:
        raise MiyaInputError(
            "E302",
            f"learning_rate is {rate:g}: this climbs the loss",
            hint="give a number above 0",
            path=path,
        )
    if rate == 0:
        warn("W301", "learning_rate is 0: nothing will move")
    return rate
