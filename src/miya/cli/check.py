"""miya check: a hand-worked page, number by number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import MiyaInputError
from .options import emit, language_option

if TYPE_CHECKING:
    from ..api import Checked

SUFFIX = {"text": "txt", "markdown": "md", "html": "html", "json": "json"}


@click.command(
    "check",
    epilog="Examples: miya check page.md | miya check homework.html --network net.toml "
    "--format json | miya check --template net.toml -o sheet.csv | "
    "miya check answers/*.csv --network net.toml -o reports",
)
@click.argument("pages", nargs=-1, type=click.Path())
@click.option("--network", type=click.Path(), help="The network, where the page does not give it.")
@click.option(
    "--format", "form", type=click.Choice(list(SUFFIX)), default="text", show_default=True
)
@click.option("--template", type=click.Path(), help="Write an answer sheet for this network.")
@language_option
@click.option(
    "-o", "--output", type=click.Path(), help="A file; of several pages, a folder of reports."
)
def check_command(
    pages: tuple[str, ...],
    network: str | None,
    form: str,
    template: str | None,
    language: str,
    output: str | None,
) -> None:
    """Mark the numbers of PAGES: Markdown, text, HTML, notebooks, answer sheets."""
    from ..api import answer_sheet, check

    if template is not None:
        toml = output is not None and output.endswith(".toml")
        emit(answer_sheet(template, form="toml" if toml else "csv"), output)
        return
    if not pages:
        raise MiyaInputError("E707", "there is no page to mark", hint="name one: miya check PAGE")
    if len(pages) > 1:
        _several(pages, network, form, language, output)
        return
    made = check(pages[0], network=network, language=language)
    emit(getattr(made, form)(), output)


def _several(
    pages: tuple[str, ...], network: str | None, form: str, language: str, output: str | None
) -> None:
    """A report a page, and the table of who slipped where."""
    from ..api import check, load
    from ..render.check import class_table

    net = load(network) if network is not None else None
    found: list[Checked] = []
    for page in pages:
        try:
            found.append(check(page, network=net, language=language))
        except MiyaInputError as error:  # the others are still marked
            click.echo(f"miya: {error}", err=True)
    if not found:
        raise MiyaInputError("E707", "no page could be marked", hint="see the messages above")
    table = class_table([f.marking for f in found], language)
    if output is None:
        for made in found:
            emit(getattr(made, form)(), None)
        emit(table, None)
        return
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MiyaInputError(
            "E508", f"cannot write {output}: {error.strerror}", hint="choose another folder"
        ) from error
    names: dict[str, int] = {}
    for made in found:
        stem = Path(made.marking.page.name).stem
        names[stem] = names.get(stem, 0) + 1
        last = f"-{names[stem]}" if names[stem] > 1 else ""
        emit(getattr(made, form)(), str(folder / f"{stem}{last}.{SUFFIX[form]}"))
    emit(table, str(folder / "who-slipped-where.txt"))
    emit(table, None)
