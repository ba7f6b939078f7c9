"""show: one execution with its steps, its events, or all executions of its run."""

from typing import Annotated

import typer

from app.cli.executions.detail import show_execution
from app.cli.executions.points import point_given
from app.cli.executions.tree import show_tree
from app.cli.lists import NUMBERS, note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, short
from edge.references import execution_named
from queries.causes import find_cause
from queries.definitions import Definitions
from queries.events import EventView, list_execution_events
from queries.execution_list import STATUSES
from queries.executions import get_execution
from queries.folding import get_execution_as_of
from queries.paging import Page
from queries.trees import TreeFilter, list_tree

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
    tree: Annotated[bool, typer.Option("--tree", help="All executions of its run instead, from the root on.")] = False,
    status_: Annotated[
        list[str] | None, typer.Option("--status", help="With --tree: of this status; repeatable.")
    ] = None,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """Show one execution with its steps, or its events.

    If it has failed, also show the cause. --tree: show all executions of its run.
    """
    output = output_of(context, json)
    execution_id = execution_named(execution)
    point = None if as_of is None else point_given("--as-of", as_of)
    if (events or tree) and point is not None:
        raise typer.BadParameter("events and --tree are those of now", param_hint="--as-of")
    if events and tree:
        raise typer.BadParameter("show events or the tree", param_hint="--tree")
    statuses = known_words("--status", status_, STATUSES)
    if statuses and not tree:
        raise typer.BadParameter("goes with --tree", param_hint="--status")
    with opened_reading(output) as reading:
        if events:
            _show_events(output, list_execution_events(reading, execution_id, cursor=cursor, limit=EVENTS_SHOWN))
        elif tree:
            show_tree(output, list_tree(reading, execution_id, TreeFilter(statuses), cursor=cursor), execution_id)
        elif point is not None:
            show_execution(output, get_execution_as_of(reading, Definitions(), execution_id, point))
        else:
            found = get_execution(reading, Definitions(), execution_id)
            show_execution(output, found, find_cause(reading, execution_id).cause)


def _show_events(output: CommandOutput, page: Page[EventView]) -> None:
    if output.json:
        output.document(page)
        return
    rows = [
        (each.position, each.version, moment(each.at), each.type, short(each.data, output.most)) for each in page.items
    ]
    output.table(("position", "version", "at", "event", "data"), rows, right=NUMBERS)
    note_more(output, page.next_cursor)
