"""miya play: the playground in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import MiyaInputError
from .options import examples


@click.command(
    "play",
    epilog=examples(
        "miya play",
        "miya play net.toml",
        "miya play --host 0.0.0.0 --allow-network --name lab.example.org",
    ),
)
@click.argument("net", required=False, type=click.Path())
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: any free one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--allow-network", is_flag=True, help="Needed for a --host that others can reach.")
@click.option("--name", "names", multiple=True, help="A further name that others call it by.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that work numbers out.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def play_command(
    net: str | None,
    port: int,
    host: str,
    allow_network: bool,
    names: tuple[str, ...],
    workers: int,
    no_browser: bool,
) -> None:
    """Edit a network and watch blame flow: a page on this machine, opened in the browser.

    NET: a network file to start with (default: the original story). Ctrl-C ends it.
    """
    from ..read.need import need

    for package in ("starlette", "uvicorn", "pebble"):
        need(package, "play", "the playground needs")
    from ..web.serve import is_loopback, serve

    if not is_loopback(host):
        if not allow_network:
            raise MiyaInputError(
                "E813",
                f"{host} is an address that other machines can reach",
                hint="add --allow-network if they shall; the token is then all that keeps them out",
            )
        click.echo(
            f"miya: warning: others can reach {host}: whoever has the address with its token can "
            "use the playground, and the connection is not encrypted",
            err=True,
        )
    start = _fragment(net)

    def ready(address: str) -> None:
        click.echo(f"Miya plays at {address}{start}")
        click.echo("Ctrl-C ends it.")
        if not no_browser:
            click.launch(address + start)

    serve(host, port, names=[n.lower() for n in names], workers=workers, ready=ready)


def _fragment(net: str | None) -> str:
    """The network of the file as a link's fragment, which never leaves the browser."""
    if net is None:
        return ""
    from ..read.file import read_description, read_network
    from ..web.state import encode, new_state

    read_network(Path(net))
    return f"#{encode(new_state(read_description(Path(net))))}"
