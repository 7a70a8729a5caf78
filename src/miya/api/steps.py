"""Taking steps: load, explain, train, and many steps as one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.build import network as build
from ..core.model import ModelTrace
from ..core.network import Network
from ..core.step import take_step
from ..core.trace import Trace
from ..errors import MiyaInputError
from ..read.file import original, read_network
from ..story.tell import tell

Source = str | Path | Mapping[str, Any] | Network
MOST_DIGITS, MOST_CARRIED = 15, 12


def load(source: Source | None = None, *, dtype: str = "float64", language: str = "en") -> Network:
    """A network from a TOML or JSON file, a description (dict) or a Network; None is the
    original story's, with its names in `language`. Raises MiyaInputError for what is no
    network."""
    if source is None:
        return original(dtype=dtype, language=language)
    if isinstance(source, Network):
        return source
    if isinstance(source, Mapping):
        return build(source, dtype=dtype)
    return read_network(source, dtype=dtype)


def explain(
    source: Source | Trace | ModelTrace | Any = None,
    inputs: Any = None,
    target: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    apply: bool = False,
    network: str | Path | None = None,
    data: str | Path | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    digits: int | None = None,
    carry: str = "exact",
    only: str | None = None,
    language: str = "en",
    miya: bool = True,
    top: int | None = None,
    dtype: str | None = None,
) -> Any:
    """Explain one training step: an Explanation, or a ModelExplanation of a model that is more
    than a chain of dense layers.

    source: a file, a description or a Network (see `load`); a torch.nn.Module; or a trace. Also
        "package.module:make_model", a .safetensors or an .onnx file (docs/model-files.md).
    inputs, target, loss, optimizer, apply: of a module (docs/models.md). inputs: a tensor, a tuple
        of arguments or a dict of named ones. C is loss(module(*inputs), target); a loss is a
        function, a module or a name, such as "cross_entropy"; without one the module gives C.
        optimizer: a torch.optim optimizer of its parameters, what makes one, or a name. The step
        is made on a copy; apply: make it on the module and the optimizer, too.
    network, data, learning_rate, seed: of what is named in files: the network of weights, the
        batch as .npz, and what random numbers start from. With a network file, data, loss,
        optimizer and learning_rate take the place of its own.
    digits: significant digits shown, 1 to 15, or 12 where they are carried on (default 5).
    carry: "exact", or "rounded" to carry each result on rounded to `digits`, as by hand.
    only: "forward", "backward", "update", or a layer by its number (from 1) or name, of a module
        the path of one inside: then that alone is recorded, which takes less memory.
    top: how many entries of a large array, and terms of a long sum, are told (default 8 of
        arrays above 64 and sums above 40; smaller ones are told in full); of a module, how many
        of the most pressed weights (default 3).
    dtype: "float64" or "float32", what the arrays of a network are computed in (default
        float64; a model has its own).
    Raises MiyaInputError.
    """
    from .models import explain_model, explanation_of, is_module
    from .named import rounded_model, trace_of

    check_digits(digits, carry, dtype or "float64")
    if top is not None and top < 1:
        raise MiyaInputError("E611", f"top is {top}", hint="tell at least 1")
    told: dict[str, Any] = {
        "digits": digits,
        "language": language,
        "only": only,
        "miya": miya,
        "top": top,
    }
    if carry == "rounded" and (is_module(source) or isinstance(source, ModelTrace)):
        raise rounded_model()
    if is_module(source):
        return explain_model(
            source, inputs, target, loss=loss, optimizer=optimizer, apply=apply, **told
        )
    of_step = (inputs, target, loss, optimizer, network, data, learning_rate)
    traced = isinstance(source, Trace | ModelTrace) and any(part is not None for part in of_step)
    if apply or traced:
        raise MiyaInputError(
            "E623",
            "inputs, target, loss, optimizer and apply are for a torch.nn.Module",
            hint="leave them out: a trace is of a step that was made",
        )
    if not isinstance(source, Trace | ModelTrace):
        source = trace_of(
            source,
            inputs,
            target,
            loss=loss,
            optimizer=optimizer,
            network=network,
            data=data,
            learning_rate=learning_rate,
            seed=seed,
            dtype=dtype,
            digits=carried_digits(digits, carry),
            language=language,
            only=only,
        )
    return explanation_of(source, **told)


def check_digits(digits: int | None, carry: str, dtype: str) -> None:
    if digits is not None and not 1 <= digits <= MOST_DIGITS:
        raise MiyaInputError(
            "E604", f"digits is {digits}", hint=f"choose 1 to {MOST_DIGITS} significant digits"
        )
    if carry not in ("exact", "rounded"):
        raise MiyaInputError("E605", f"carry is {carry!r}", hint="choose exact or rounded")
    if carry == "rounded" and digits is not None and digits > MOST_CARRIED:
        raise MiyaInputError(
            "E604",
            f"digits is {digits} with carry rounded",
            hint=f"choose 1 to {MOST_CARRIED}; float64 has no more to round to for sure",
        )
    if carry == "rounded" and dtype == "float32":
        raise MiyaInputError(
            "E612",
            "carry rounded rounds to decimal digits, which float32 cannot hold",
            hint="use dtype float64 with it",
        )


def carried_digits(digits: int | None, carry: str) -> int | None:
    from ..story.tell import DIGITS

    return (digits or DIGITS) if carry == "rounded" else None


def train(
    source: Source | None = None,
    *,
    steps: int,
    digits: int | None = None,
    carry: str = "exact",
    dtype: str = "float64",
) -> Iterator[Trace]:
    """Yield the trace of each of `steps` exact steps, the optimizer's state carried along.

    Each step starts from the parameters that the one before left. A trace is complete when it
    is yielded; nothing is kept of the earlier ones. Raises MiyaInputError.
    """
    if steps < 1:
        raise MiyaInputError("E606", f"steps is {steps}", hint="take at least 1 step")
    check_digits(digits, carry, dtype)
    return _steps(load(source, dtype=dtype), steps, carried_digits(digits, carry))


def _steps(network: Network, steps: int, digits: int | None) -> Iterator[Trace]:
    state = None
    for number in range(1, steps + 1):
        trace = take_step(network, digits=digits, number=number, state=state)
        yield trace
        network = trace.after
        state = {name: update.state for name, update in trace.updates.items()}


def page(
    traces: Iterable[Trace],
    *,
    story: int | None = None,
    digits: int | None = None,
    language: str = "en",
    miya: bool = True,
) -> str:
    """Many steps as one HTML page: a time slider, plots of loss and blame, the story of a step.

    traces: as `train` yields them; of a long run up to 100 steps, evenly spread, are kept.
    story: the step whose story is told: the first, or the last where the run ends before it.
    Raises MiyaInputError E645 where there is no step.
    """
    from ..render.html import html
    from ..render.page.run import RunPage
    from ..render.page.snapshots import keep

    kept = keep(traces, story)
    told = tell(kept.told, digits=digits, language=language, miya=miya)
    return html(kept.told, told, miya=miya, run=RunPage(kept, told.digits, language))
