"""roles monitored: what is open in the steps that teams monitor."""

from typing import Annotated

import typer

from app.cli.lists import note_more
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit
from app.cli.output import output_of
from app.cli.wording import moment


def monitored(
    context: typer.Context,
    team: Annotated[list[str] | None, typer.Option(help="Only what this team monitors; repeatable.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List failed steps, overdue approvals and cost alerts that teams monitor, the latest first."""
    from queries.monitored import list_monitored

    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_monitored(reading, team or None, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (
            moment(each.at) if each.at else "",
            each.kind,
            each.process,
            each.step or "",
            ", ".join(each.teams),
            each.alert_id or each.execution_id,
        )
        for each in page.items
    ]
    output.table(("since", "kind", "process", "step", "teams", "execution or alert"), rows)
    note_more(output, page.next_cursor)
