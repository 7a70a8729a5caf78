"""Parts of documents that are made from the records and the commands, so they stay true.

A part stands between `<!-- made: NAME -->` and `<!-- made end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click

from miya.cli import main
from miya.core import activations, losses, optimizers

# options that are shown together, where not all of them may be
TOGETHER = {
    "sgd": [["momentum", "dampening"], ["momentum", "weight_decay", "nesterov", "maximize"]],
}
PART = re.compile(r"(<!-- made: (?P<name>[\w ]+) -->\n)(?P<body>.*?)(<!-- made end -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """`text` with every made part as it is now."""
    return PART.sub(lambda m: f"{m[1]}\n{part(m['name'])}\n{m[4]}", text)


def part(name: str) -> str:
    kind, _, argument = name.partition(" ")
    return PARTS[kind](argument) if argument else PARTS[kind]()


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = list(header)
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _code(text: object) -> str:
    return f"`{text}`"


def _options(options: dict[str, Any]) -> str:
    return ", ".join(_code(f"{k} = {_value(v)}") for k, v in options.items()) or "none"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else f"{value:g}".replace("e-0", "e-")


def activation_table() -> str:
    return _table(
        ("name", "a =", "σ'(z) =", "options", "as"),
        (
            (
                _code(k.name),
                _code(k.formula),
                _code(k.slope_formula),
                _options(k.defaults),
                k.source,
            )
            for k in activations.KINDS.values()
        ),
    )


def loss_table() -> str:
    targets = {
        "number": "any number",
        "probability": "0 to 1",
        "classes": "a class, or probabilities that sum to 1",
    }
    return _table(
        ("name", "ℓ =", "∂ℓ/∂a =", "outputs, examples", "options", "target", "as"),
        (
            (
                _code(k.name),
                _code(k.formula),
                _code(k.gradient_formula),
                f"{k.outputs}, {k.examples}",
                _options(k.defaults),
                targets[k.target],
                k.source,
            )
            for k in losses.KINDS.values()
        ),
    )


def optimizer_lists() -> str:
    return "\n".join(_optimizer(kind) for kind in optimizers.KINDS.values())


def _optimizer(kind: optimizers.OptimizerKind) -> str:
    parts = [f"### {kind.name}\n\nAs `{kind.source}`. Options: {_options(kind.defaults)}.\n"]
    parts += [f"With the defaults:\n\n{_lines(kind, {}, False)}"]
    every = list(kind.defaults)
    for chosen in TOGETHER.get(kind.name, [every]):
        used = {k: True if kind.defaults[k] is False else kind.defaults[k] or 0.1 for k in chosen}
        head = "every option" if chosen == every else ", ".join(map(_code, chosen))
        if kind.lines({**kind.defaults, **used}, True) == kind.lines(
            {**kind.defaults, **used}, False
        ):
            parts += [f"With {head}:\n\n{_lines(kind, used, False)}"]
            continue
        parts += [f"With {head}, at the first step:\n\n{_lines(kind, used, True)}"]
        parts += [f"and at every later step:\n\n{_lines(kind, used, False)}"]
    return "\n".join(parts)


def _lines(kind: optimizers.OptimizerKind, options: dict[str, Any], first: bool) -> str:
    lines = kind.lines({**kind.defaults, **options}, first)
    return "```text\n" + "".join(f"{head} = {formula}\n" for head, formula in lines) + "```\n"


def command_options(name: str = "") -> str:
    command = main.commands[name] if name else main
    context = click.Context(command, info_name=name or "miya")
    options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
    told = [o for o in options if "--help" not in o.opts]
    return _table(("option", "value", "default", "what it does"), map(_option, told))


def _option(option: click.Option) -> tuple[str, str, str, str]:
    names = ", ".join(map(_code, (*option.opts, *option.secondary_opts)))
    text, _, shown = (option.help or "").partition("  [default: ")
    default = shown.rstrip("]") if shown else _default(option)
    values = (option.metavar or "").replace("|", " or ") or _values(option.type)
    return names, "" if option.is_flag else values, default, text.replace("|", r"\|")


def _default(option: click.Option) -> str:
    value = option.default
    if option.required:
        return "must be given"
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return _code(value) if plain and not option.is_flag else ""


def _values(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return " ".join(map(_code, kind.choices))
    if isinstance(kind, click.IntRange | click.FloatRange):
        low, high = kind.min, kind.max
        return f"{low} to {high}" if high is not None else f"from {low}"
    names = {"integer": "whole number", "float": "number", "path": "file"}
    return names.get(kind.name, kind.name)


def operator_list() -> str:
    from miya.read.torch.onnx_operators import OPERATORS

    return ", ".join(OPERATORS) + ".\n"


PARTS: dict[str, Callable[..., str]] = {
    "activations": activation_table,
    "losses": loss_table,
    "optimizers": optimizer_lists,
    "options": command_options,
    "operators": operator_list,
}


def stale(text: str) -> Iterator[str]:
    """Names of the made parts that are not as they would be made now."""
    for m in PART.finditer(text):
        if m["body"] != f"\n{part(m['name'])}\n":
            yield m["name"]
