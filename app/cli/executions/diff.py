"""diff: the changes of one execution between two points."""

from typing import Annotated

import typer

from app.cli.executions.points import point_given
from app.cli.opening import opened_reading
from app.cli.options import JsonOption
from app.cli.output import CommandOutput, output_of
from app.cli.wording import point, short
from edge.references import execution_named
from queries.definitions import Definitions
from queries.differences import Difference, get_difference

cli = typer.Typer()


@cli.command()
def diff(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    point_from: Annotated[str, typer.Argument(metavar="FROM", help="A position of the log, or a time.")],
    point_to: Annotated[str, typer.Argument(metavar="TO", help="Another one.")],
    json: JsonOption = False,
) -> None:
    """Show what changed in one execution between two points."""
    output = output_of(context, json)
    execution_id = execution_named(execution)
    points = point_given("FROM", point_from), point_given("TO", point_to)
    with opened_reading(output) as reading:
        _show(output, get_difference(reading, Definitions(), execution_id, *points))


def _show(output: CommandOutput, difference: Difference) -> None:
    if output.json:
        output.document(difference)
        return
    output.line(f"{difference.execution_id}  {difference.process}, version {difference.version}")
    before, after = point(difference.point_from), point(difference.point_to)
    output.line(f"from {before} to {after}")
    for side, requested, position in (
        (before, difference.point_from, difference.from_position),
        (after, difference.point_to, difference.to_position),
    ):
        if requested != position:
            output.line(f"at {side}: after its event at position {position}")
    changes = [("", name, change) for name, change in difference.changed.items()]
    changes += [(step.id, name, change) for step in difference.steps for name, change in step.changed.items()]
    most = output.most
    rows = [(step, name, short(change.before, most), short(change.after, most)) for step, name, change in changes]
    output.table(("step", "what", f"at {before}", f"at {after}"), rows)
