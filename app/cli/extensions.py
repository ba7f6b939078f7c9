"""Commands that other packages bring, such as `bench`: found by entry point, so that nothing here imports them."""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

GROUP = "procession.commands"


def add_to(cli: typer.Typer) -> None:
    """Add every command of the entry point group; each is a function from arguments to an exit code."""
    for point in entry_points(group=GROUP):
        cli.command(
            point.name,
            help=f"See `procession {point.name} --help`.",
            add_help_option=False,
            context_settings={"ignore_unknown_options": True},
        )(_command(point))


def _command(point: EntryPoint) -> Callable[[list[str]], None]:
    def run(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        main = point.load()
        raise typer.Exit(main(arguments or []))

    return run
