"""approvals: the list of approvals, open and decided."""

from typing import Annotated

import typer

from app.cli.lists import note_more
from app.cli.names import existing
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, status
from domain.executions.verdicts import APPROVAL_WORDS
from queries.approvals import ApprovalFilter, ApprovalView, list_approvals
from queries.paging import Page

cli = typer.Typer()


@cli.command()
def approvals(
    context: typer.Context,
    open_: Annotated[bool, typer.Option("--open", help="Only open approvals.")] = False,
    process: Annotated[list[str] | None, typer.Option(help="Of this process; repeatable.")] = None,
    status_: Annotated[
        list[str] | None, typer.Option("--status", help=f"{', '.join(APPROVAL_WORDS)}; repeatable.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List approvals, open and decided, the newest first."""
    output = output_of(context, json)
    statuses = known_words("--status", status_, APPROVAL_WORDS) + (["open"] if open_ else [])
    with opened_reading(output) as reading:
        requested = ApprovalFilter(existing(reading.datastore, "process", process or []), statuses)
        page = list_approvals(reading, requested, cursor=cursor, limit=limit)
    _show(output, page)


def _show(output: CommandOutput, page: Page[ApprovalView]) -> None:
    if output.json:
        output.document(page)
        return
    rows = [
        (
            moment(a.requested_at),
            status(a.decision or a.status),
            a.title,
            a.process,
            moment(a.deadline),
            a.decided_by,
            a.approval_id,
        )
        for a in page.items
    ]
    output.table(("requested", "decision", "title", "process", "deadline", "decided by", "approval"), rows)
    note_more(output, page.next_cursor)


def _row(approval: ApprovalView) -> tuple[object, ...]:
    return (
        moment(approval.requested_at),
        status(approval.decision or approval.status),
        approval.title,
        approval.process,
        moment(approval.deadline),
        approval.decided_by,
        approval.approval_id,
    )
