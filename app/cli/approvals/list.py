"""approvals: the list of approvals, open and decided."""

from typing import Annotated

import typer

from app.cli.lists import note_lag, note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment
from queries.approvals import ApprovalFilter, ApprovalView, list_approvals
from queries.paging import Page

cli = typer.Typer()


@cli.command()
def approvals(
    context: typer.Context,
    open_: Annotated[bool, typer.Option("--open", help="Only open approvals.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List approvals, open and decided, the newest first."""
    output = output_of(context, json)
    requested = ApprovalFilter(statuses=["open"] if open_ else [])
    with opened_reading(output) as reading:
        page = list_approvals(reading, requested, cursor=cursor, limit=limit)
    _show(output, page)


def _show(output: CommandOutput, page: Page[ApprovalView]) -> None:
    if output.json:
        output.document(page)
        return
    rows = [
        (moment(a.requested_at), a.status, a.title, a.process, moment(a.deadline), a.decided_by, a.approval_id)
        for a in page.items
    ]
    output.table(("requested", "status", "title", "process", "deadline", "decided by", "approval"), rows)
    note_more(output, page.next_cursor)
    note_lag(output, page.lag_seconds)
