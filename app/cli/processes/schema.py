"""schema: the JSON Schema of the process language."""

import typer

from app.cli.options import JsonOption
from app.cli.output import output_of
from domain.language import json_schema

cli = typer.Typer()


@cli.command()
def schema(context: typer.Context, json: JsonOption = False) -> None:
    """Write the JSON Schema of the process language, for editors; with or without --json."""
    output_of(context, json).document(json_schema())
