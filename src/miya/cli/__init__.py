"""The command line. Exit codes: 0 done, 2 bad input, 130 stopped by Ctrl-C."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import click

from .. import __version__
from ..errors import MiyaInputError, MiyaWarning
from .blame import blame_command
from .blame_examples import blame_examples_command
from .check import check_command
from .compare import compare_command
from .draw import draw_command
from .explain import explain_command
from .play import play_command
from .plot import plot_command
from .report import report_command
from .schema import schema_command
from .train import train_command
from .why import why_command
from .worksheet import worksheet_command


class Group(click.Group):
    """Turns every MiyaInputError into one message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default", MiyaWarning)
            try:
                return super().invoke(ctx)
            except MiyaInputError as error:
                show_warnings(caught)
                click.echo(f"miya: {printable(str(error))}", err=True)
                sys.exit(2)
            finally:
                if sys.exc_info()[0] is None:
                    show_warnings(caught)


def show_warnings(caught: list[warnings.WarningMessage]) -> None:
    for warning in caught:
        if issubclass(warning.category, MiyaWarning):
            click.echo(f"miya: warning: {printable(str(warning.message))}", err=True)
    caught.clear()


def printable(text: str) -> str:
    from ..render.escape import printable

    return printable(text)


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, Miya tells the original story.\n\n\b\nShell completion:\n"
    '  eval "$(_MIYA_COMPLETE=bash_source miya)"    (or zsh_source, fish_source)',
)
@click.version_option(__version__, prog_name="miya")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Miya shows exactly how backprop blames every weight, bias and neuron for the loss."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(explain_command)


for command in (
    explain_command,
    why_command,
    blame_command,
    blame_examples_command,
    draw_command,
    train_command,
    play_command,
    plot_command,
    report_command,
    check_command,
    worksheet_command,
    compare_command,
    schema_command,
):
    main.add_command(command)
