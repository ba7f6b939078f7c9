"""workers: those that carry out steps, with the attempts that each has claimed."""

import typer

from app.cli.lists import note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit
from app.cli.output import output_of
from app.cli.wording import moment, status
from queries.workers import list_workers

cli = typer.Typer()


@cli.command()
def workers(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List workers with the attempts that each has claimed."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_workers(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (each.worker_id, each.host, each.pid, status("active" if each.alive else "lost"), moment(each.started_at),
         moment(each.lease_until), each.holds)
        for each in page.items
    ]  # fmt: skip
    output.table(
        ("worker", "host", "process", "state", "started", "lease until", "holds"), rows, right=frozenset({"holds"})
    )
    held = [
        (each.worker_id, attempt.execution_id, attempt.step, attempt.attempt, attempt.agent)
        for each in page.items
        for attempt in each.held
    ]
    if held:
        output.table(("worker", "execution", "step", "attempt", "agent"), held)
    note_more(output, page.next_cursor)
