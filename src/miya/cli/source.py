"""SOURCE on the command line: a network file, code, weights or ONNX, as one step's trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..core.model import ModelTrace
    from ..core.trace import Trace

Command = Callable[..., Any]
OPTIONS = ("network", "data", "loss", "optimizer", "learning_rate", "seed")


def source_options(command: Command) -> Command:
    """What a source may need beside its name; a command takes them as `**given`."""
    for option in reversed(
        (
            click.option(
                "--network",
                metavar="NET",
                help="Of .safetensors: the network file, or package.module:make_model.",
            ),
            click.option("--data", type=click.Path(), help="The batch, as .npz: input and target."),
            click.option("--loss", help="A loss, by its name here or in torch.nn."),
            click.option("--optimizer", help="An optimizer, by its name here or in torch.optim."),
            click.option("--learning-rate", type=float, help="Its learning rate."),
            click.option(
                "--seed",
                type=click.IntRange(min=0, max=2**63 - 1),
                default=0,
                show_default=True,
                help="What a model's random numbers start from.",
            ),
        )
    ):
        command = option(command)
    return command


def trace_from(
    source: str | None,
    given: dict[str, Any],
    *,
    dtype: str | None = None,
    digits: int | None = None,
    language: str = "en",
    only: str | None = None,
) -> Trace | ModelTrace:
    """The trace of one step of `source`; `given` are the values of `source_options`.

    dtype: what --dtype says where it was given; see `chosen_dtype`.
    """
    from ..api.named import trace_of

    return trace_of(source, **given, dtype=dtype, digits=digits, language=language, only=only)


def chosen_dtype(dtype: str) -> str | None:
    """What --dtype says, or None where it was left out: a model then keeps its own."""
    from click.core import ParameterSource

    context = click.get_current_context()
    left_out = context.get_parameter_source("dtype") == ParameterSource.DEFAULT
    return None if left_out else dtype
