"""timers: the list of timers by due time."""

from typing import Annotated

import typer

from app.cli.lists import NUMBERS, note_more
from app.cli.names import existing
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit
from app.cli.output import CommandOutput, output_of
from app.cli.timers.kinds import kind_given
from app.cli.wording import moment, seconds
from queries.paging import Page
from queries.timers import TimerFilter, TimerView, list_timers

cli = typer.Typer()


@cli.command()
def timers(
    context: typer.Context,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only timers whose due time has passed.")] = False,
    kind: Annotated[list[str] | None, typer.Option(help="Only timers of this kind; repeatable.")] = None,
    process: Annotated[list[str] | None, typer.Option(help="Only of this process, by name or id; repeatable.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List timers by due time, the next first."""
    output = output_of(context, json)
    kinds = [kind_given(each) for each in kind or []]
    with opened_reading(output) as reading:
        ids = existing(reading.datastore, "process", process or [])
        filter = TimerFilter(overdue=True if overdue else None, kinds=kinds, process_ids=ids)
        page = list_timers(reading, filter, cursor=cursor, limit=limit)
    _show(output, page)


def _show(output: CommandOutput, page: Page[TimerView]) -> None:
    if output.json:
        output.document(page)
        return
    columns = ("due", "overdue", "timer", "step", "process", "execution")
    rows = [
        (moment(t.due_at), seconds(t.overdue_seconds or None), t.kind, t.step, t.process, t.execution_id)
        for t in page.items
    ]
    output.table(columns, rows, right=NUMBERS)
    note_more(output, page.next_cursor)
