"""miya blame-examples: which examples of a batch drive the loss and the gradient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import MiyaInputError
from .options import emit, examples, language_option, output_option

FORMS = ("text", "markdown", "json", "html")


@click.command(
    "blame-examples",
    epilog=examples(
        "miya blame-examples package.module:make_model --data digits.npz",
        "miya blame-examples train.py:make --by loss --image 8x8 --format html -o blamed.html",
        "miya blame-examples train.py:make --optimizer sgd --by credit --out blamed",
    ),
)
@click.argument("source", metavar="CODE")
@click.option("--data", type=click.Path(), help="The examples, as .npz: input and target.")
@click.option("--loss", help="A loss, by its name here or in torch.nn.")
@click.option(
    "--optimizer", help="With credits, of the step that this one makes: a name of torch.optim."
)
@click.option("--learning-rate", type=float, help="Its learning rate.")
@click.option(
    "--by", default="gradient", show_default=True, help="gradient, loss, credit, or a layer."
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Told.")
@click.option(
    "--neurons",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="The most pushed neurons that are kept of each example.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Examples that are measured together.",
)
@click.option("--image", metavar="HxW", help="Draw each input as an image of this shape.")
@click.option("--out", type=click.Path(), help="A folder of Parquet files; an old run goes on.")
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**63 - 1),
    default=0,
    show_default=True,
    help="What a model's random numbers start from.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    show_default=True,
    help="What the ranking is written as.",
)
@language_option
@output_option
def blame_examples_command(
    source: str,
    image: str | None,
    form: str,
    language: str,
    output: str | None,
    **given: Any,
) -> None:
    """Rank the examples of a data set by what they do to a model.

    CODE: package.module:make_model or path/to/file.py:make_model, which gives a torch.nn.Module,
    or (model, loss, optimizer, inputs, target) of which the last ones may be left out. The model
    runs in the mode that it is made in.
    """
    from ..read.need import need_torch

    shape = _shape(image)
    need_torch()
    found, top = _found(source, shape, given), given["top"]
    if form == "json":
        emit(found.json(top), output)
    else:
        emit(getattr(found, form)(top, language=language), output)


def _shape(image: str | None) -> tuple[int, ...] | None:
    """Raises MiyaInputError E771."""
    if image is None:
        return None
    try:
        return tuple(int(part) for part in image.lower().split("x"))
    except ValueError:
        raise MiyaInputError(
            "E771", f"--image is {image!r}", hint="give height x width: --image 28x28"
        ) from None


def _found(source: str, image: tuple[int, ...] | None, given: dict[str, Any]) -> Any:
    from ..per_example.blame import blame_examples
    from ..read.source import kind_of
    from ..read.torch.batch import read_batch
    from ..read.torch.code import made_by
    from ..read.torch.named import loss_named, optimizer_named

    if kind_of(source) != "code":
        raise MiyaInputError(
            "E771",
            f"{source} names no code",
            hint="give package.module:make_model or path/to/file.py:make_model",
        )
    made = made_by(source)
    model, loss = made["model"], made.get("loss")
    if given["loss"] is not None:
        loss = loss_named(given["loss"])
    inputs, target = made.get("inputs"), made.get("target")
    if given["data"] is not None:
        inputs, target = read_batch(Path(given["data"]), model, loss)
    if inputs is None:
        raise MiyaInputError(
            "E761",
            f"{source} gives no examples",
            hint="name them with --data, or let it give (model, loss, optimizer, inputs, target)",
        )
    optimizer = made.get("optimizer") if given["by"] == "credit" else None
    if given["optimizer"] is not None:
        optimizer = optimizer_named(given["optimizer"], model.parameters(), given["learning_rate"])
    options = {k: given[k] for k in ("by", "top", "neurons", "batch_size", "out", "seed")}
    data = (inputs, target) if loss is not None else inputs
    return blame_examples(model, data, loss, optimizer=optimizer, image=image, **options)
