"""show: one execution with its steps, or its events."""

from typing import Annotated

import typer

from app.cli.executions.detail import show_execution
from app.cli.executions.points import point_given
from app.cli.lists import NUMBERS, note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, short
from edge.references import execution_named
from queries.definitions import Definitions
from queries.events import EventView, list_execution_events
from queries.executions import get_execution
from queries.folding import get_execution_as_of
from queries.paging import Page

cli = typer.Typer()

EVENTS_SHOWN = 200


@cli.command()
def show(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="POINT", help="As it was at this position of the log, or time.")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Its events from the log instead.")] = False,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """Show one execution with its steps, or its events."""
    output = output_of(context, json)
    execution_id = execution_named(execution)
    point = None if as_of is None else point_given("--as-of", as_of)
    if events and point is not None:
        raise typer.BadParameter("events are those that the log has now", param_hint="--as-of")
    with opened_reading(output) as reading:
        if events:
            _show_events(output, list_execution_events(reading, execution_id, cursor=cursor, limit=EVENTS_SHOWN))
        elif point is not None:
            show_execution(output, get_execution_as_of(reading, Definitions(), execution_id, point))
        else:
            show_execution(output, get_execution(reading, Definitions(), execution_id))


def _show_events(output: CommandOutput, page: Page[EventView]) -> None:
    if output.json:
        output.document(page)
        return
    rows = [
        (each.position, each.version, moment(each.at), each.type, short(each.data, output.most)) for each in page.items
    ]
    output.table(("position", "version", "at", "event", "data"), rows, right=NUMBERS)
    note_more(output, page.next_cursor)
