"""costs alerts, thresholds."""

from typing import Annotated

import typer

from app.cli.cost_simulation import KINDS, ProcessOfThresholds
from app.cli.lists import note_more
from app.cli.names import existing, naming
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit, known_words
from app.cli.output import output_of
from app.cli.wording import moment, status
from edge.references import process_named


def alerts(
    context: typer.Context,
    process: Annotated[list[str] | None, typer.Option(help="Only of this process, by name or id; repeatable.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--status", help="open, acknowledged, snoozed, dismissed or resolved; repeatable."),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List cost alerts, the latest first."""
    from domain.alerts.alert import STATUSES
    from queries.alerts import AlertFilter, list_alerts

    output = output_of(context, json)
    statuses = known_words("--status", state, STATUSES)
    with opened_reading(output) as reading:
        filter = AlertFilter(process_ids=existing(reading.datastore, "process", process or []), statuses=statuses)
        page = list_alerts(reading, filter, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (moment(each.raised_at), each.process, each.rule.kind, each.rule.level, status(each.status),
         f"{each.after} of {each.rule.limit} {each.rule.currency}", each.alert_id)
        for each in page.items
    ]  # fmt: skip
    output.table(("raised", "process", "kind", "level", "status", "total", "alert"), rows)
    note_more(output, page.next_cursor)


def thresholds(context: typer.Context, process: ProcessOfThresholds, json: JsonOption = False) -> None:
    """Show the cost thresholds of a process that are in force."""
    from queries.thresholds import get_thresholds

    output = output_of(context, json)
    with opened_reading(output) as reading, naming(reading.datastore, "process", process):
        found = get_thresholds(reading, process_named(process))
    if json:
        output.document(found)
        return
    rows = [
        (kind, f"{level.amount} {level.currency}", level.warn_at, level.on_alert, found.sources[kind])
        for kind in KINDS
        for level in getattr(found, kind)
    ]
    output.table(("kind", "amount", "warns at", "act", "set by"), rows)
