"""roles show, drift: who has which role in a process, and who has done the work; and the commands of changes."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.monitored import monitored
from app.cli.names import naming
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
    with opened_reading(output) as reading, naming(reading.datastore, "process", process):
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


@cli.command()
def drift(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="The name or id of a process.")],
    json: JsonOption = False,
) -> None:
    """Show by step the executor that is assigned and the agents that have answered, over 30 days."""
    from queries.role_drift import get_process_drift

    output = output_of(context, json)
    with opened_reading(output) as reading, naming(reading.datastore, "process", process):
        found = get_process_drift(reading, process_named(process))
    if json:
        output.document(found)
        return
    columns = ("step", "executor", "version", "answered by", "completed", "failed", "drift")
    rows = []
    for step in found.steps:
        executor = step.executor or "-"
        if not step.answers:
            rows.append((step.step, executor, "-", "nobody", "0", "0", ""))
        for each in step.answers:
            of = f"{each.assigned} is assigned" if each.drifts else ""
            counts = (str(each.completed), str(each.failed))
            rows.append((step.step, executor, str(each.version), each.agent, *counts, of))
    output.table(columns, rows)
    output.line(f"{found.drifting} of {len(found.steps)} steps drift, over {found.days} days and today, in UTC")
