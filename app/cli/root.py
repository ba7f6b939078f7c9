"""The root of the command line: every command by its name, and every failure turned into a line and an exit code."""

from typing import Any

import typer
from typer.core import TyperGroup

from app.cli import (
    agents,
    approvals,
    demo,
    executions,
    extensions,
    migrating,
    processes,
    projections,
    repairs,
    serving,
    timers,
)
from app.cli.failures import failing


class Root(TyperGroup):
    """Runs a command; what it raises becomes a message and an exit code here, for every command alike."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command of `ctx`."""
        with failing(ctx):
            return super().invoke(ctx)


cli = typer.Typer(
    cls=Root,
    help="A process engine for work done by AI agents and people. Settings come from the environment: DATABASE_URL "
    "(unset: an embedded PostgreSQL), PROCESSION_HOME, PROCESSION_API_KEY. Exit codes: 0 done, 1 refused or failed, "
    "2 usage, 3 unavailable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for part in (demo, serving, migrating, processes, executions, repairs, timers, approvals):
    cli.registered_commands += part.cli.registered_commands
cli.add_typer(agents.cli, name="agents")
cli.add_typer(projections.cli, name="projections")
extensions.add_to(cli)


def main() -> None:
    """The program `procession`."""
    cli(prog_name="procession")
