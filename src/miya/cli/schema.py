"""miya schema: what a network file may hold."""

from __future__ import annotations

import click

from .options import emit, output_option


@click.command("schema")
@output_option
def schema_command(output: str | None) -> None:
    """Print the JSON Schema of a network file."""
    import json

    from ..read.schema import schema

    emit(json.dumps(schema(), indent=2, ensure_ascii=False), output)
