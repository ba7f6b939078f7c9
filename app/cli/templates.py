"""templates check."""

import typer

from app.cli.template_checks import check

cli = typer.Typer(help="Templates, to begin a process from.", no_args_is_help=True, rich_markup_mode=None)

cli.command()(check)
