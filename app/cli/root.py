"""The root of the command line: runs one command by name, and turns each failure into a line and an exit code."""

import sys
from io import TextIOWrapper
from typing import Any

import typer
from typer.core import TyperGroup

from app.cli.conversion import LightGroup
from app.cli.failing import failing
from app.cli.loading import Commands, line_of


class Root(LightGroup):
    """Lists commands without their modules; runs one, with one treatment of failures for all."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return every name."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line for each command."""
        names = self.list_commands(ctx)
        width = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, TyperGroup(name=name, help=line_of(name)).get_short_help_str(width)) for name in names]
            )

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take arguments that are texts; Python has half a surrogate pair in the place of a byte that is not UTF-8."""
        for each in args:
            if not each.isascii() and any("\ud800" <= character <= "\udfff" for character in each):
                raise typer.BadParameter(f"{each[:80]!r} is not text in UTF-8")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command of `ctx`."""
        with failing(ctx):
            return super().invoke(ctx)


cli = typer.Typer(
    cls=Root, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@cli.callback()
def procession() -> None:
    """A process engine for work done by AI agents and people. Settings come from the environment: DATABASE_URL
    (unset: an embedded PostgreSQL), PROCESSION_HOME, PROCESSION_API_KEY. Exit codes: 0 done, 1 refused or failed,
    2 usage, 3 unavailable.
    """  # noqa: D401 - the help text of the program


def main() -> None:
    """Run the program `procession`. Where the output has no place for a character, its number is written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="procession")
