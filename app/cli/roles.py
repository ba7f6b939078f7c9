"""roles show: who has which role in a process; and the commands of changes and of what teams monitor."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.monitored import monitored
from app.cli.opening import opened_reading
from app.cli.options import JsonOption
from app.cli.output import output_of
from app.cli.role_changes import set_
from edge.references import process_named

cli = typer.Typer(
    help="Roles of agents in processes: who does the work, who watches over it, who is informed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

cli.command("set")(set_)
cli.command()(monitored)


class TextWithRoles(StrEnum):
    """The text whose roles are shown."""

    draft = "draft"
    published = "published"


@cli.callback()
def roles() -> None:
    """Roles of agents in processes: who does the work, who watches over it, who is informed."""


@cli.command()
def show(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="The name or id of a process.")],
    of: Annotated[TextWithRoles | None, typer.Option(help="Default: draft if there is one.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the roles of agents in each step; those from the defaults are in brackets."""
    from queries.roles import get_roles

    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_roles(reading, process_named(process), None if of is None else of.value)
    if json:
        output.document(found)
        return

    def listed(step: str, role: str) -> str:
        own = found.own[step]
        named = [name for name, has in found.cells[step].items() if has == role]
        return ", ".join(name if name in own else f"({name})" for name in named)

    columns = ("step", "type", "executor", "monitors", "informed")
    rows = [
        (s.step, s.type, *(listed(s.step, role) for role in ("executor", "monitor", "informed"))) for s in found.steps
    ]
    output.table(columns, rows)
    for problem in found.problems:
        output.line(f"{problem.severity}: {problem.message} ({problem.path})")
