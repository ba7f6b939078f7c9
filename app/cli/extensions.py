"""Commands of other packages, such as `bench`: found by entry point, so that no module here imports them."""

from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from typer._click import Command

GROUP = "procession.commands"


def extensions() -> dict[str, str]:
    """Return the names of the commands in the entry point group, each with its line of `procession --help`."""
    return {name: _line(name) for name in _points()}


def extension(name: str) -> "Command":
    """Return the command; its entry point is a function from arguments to an exit code. Raises KeyError."""
    point = _points()[name]
    cli = typer.Typer(add_completion=False, rich_markup_mode=None)

    @cli.command(name, help=_line(name), add_help_option=False, context_settings={"ignore_unknown_options": True})
    def run(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        raise typer.Exit(point.load()(arguments or []))

    return get_command(cli)


@cache
def _points() -> "dict[str, EntryPoint]":
    from importlib.metadata import entry_points  # reads every installed package

    return {point.name: point for point in entry_points(group=GROUP)}


def _line(name: str) -> str:
    return f"See `procession {name} --help`."
