"""Cost alerts, with what raised each and what became of it: a row an alert."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, always, first, key, latest


class CostAlertRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    status: the last event's; the query says when a snooze is over. done_by, done_at, note: of what a person did last.
    """

    alert_id: Annotated[bytes, key("uuid")]
    process_id: Annotated[bytes | None, first("uuid")] = None
    process: Annotated[str | None, first("text")] = None
    kind: Annotated[str | None, first("text")] = None
    rule: Annotated[int | None, first("int")] = None
    level: Annotated[str | None, first("text")] = None
    amount: Annotated[Decimal | None, first("numeric")] = None
    limit_amount: Annotated[Decimal | None, first("numeric")] = None
    currency: Annotated[str | None, first("text")] = None
    source: Annotated[str | None, first("text")] = None
    version: Annotated[int | None, first("int")] = None
    execution_id: Annotated[bytes | None, first("uuid")] = None
    window_begin: Annotated[datetime | None, first("timestamptz")] = None
    window_end: Annotated[datetime | None, first("timestamptz")] = None
    timezone: Annotated[str | None, first("text")] = None
    on_alert: Annotated[str | None, first("text")] = None
    raised_at: Annotated[datetime | None, latest("timestamptz")] = None
    crossing_position: Annotated[int | None, latest("bigint")] = None
    crossing_execution: Annotated[bytes | None, latest("uuid")] = None
    crossing_step: Annotated[str | None, latest("text")] = None
    before: Annotated[Decimal | None, latest("numeric")] = None
    after: Annotated[Decimal | None, latest("numeric")] = None
    contributors: Annotated[msgspec.Raw | None, latest("json")] = None
    unpriced: Annotated[int | None, latest("int")] = None
    from_correction: Annotated[int | None, latest("int")] = None
    late: Annotated[int | None, latest("int")] = None
    resolves_at: Annotated[datetime | None, latest("timestamptz")] = None
    status: Annotated[str | None, latest("text")] = None
    snoozed_until: Annotated[datetime | None, latest("timestamptz")] = None
    note: Annotated[str | None, latest("text")] = None
    done_by: Annotated[str | None, latest("text")] = None
    done_at: Annotated[datetime | None, latest("timestamptz")] = None
    reason: Annotated[str | None, latest("text")] = None
    acted: Annotated[int | None, latest("int")] = None
    refusal: Annotated[str | None, latest("text")] = None
    last_position: Annotated[int, always("bigint")]


ALERTS = Table("cost_alert_list", CostAlertRow, "fillfactor = 70")
AlertChanges = dict[bytes, CostAlertRow]


def _row(changes: AlertChanges, fact: Fact) -> CostAlertRow:
    row = changes.get(fact.stream)
    if row is None:
        row = changes[fact.stream] = CostAlertRow(alert_id=fact.stream, last_position=0)
    row.last_position = fact.position
    return row


def _raised(changes: AlertChanges, fact: Fact) -> None:
    row, event = _row(changes, fact), fact.event
    if row.process_id is None:
        row.process_id, row.process, row.kind, row.rule = event.process_id.bytes, event.process, event.kind, event.rule
        row.level, row.amount, row.limit_amount, row.currency = event.level, event.amount, event.limit, event.currency
        row.source, row.version, row.on_alert = event.source, event.version, event.on_alert
        row.execution_id = None if event.execution_id is None else event.execution_id.bytes
        if event.window is not None:
            row.window_begin, row.window_end = event.window.begin, event.window.end
            row.timezone = event.window.timezone
    by = event.crossing
    row.raised_at, row.before, row.after = event.at, event.before, event.after
    row.crossing_position, row.crossing_step = by.position, by.step
    row.crossing_execution = None if by.execution_id is None else by.execution_id.bytes
    row.contributors, row.unpriced, row.resolves_at = event.contributors, event.unpriced, event.resolves_at
    row.from_correction, row.late = int(event.from_correction), int(event.late)
    row.status = "open"


def _acknowledged(changes: AlertChanges, fact: Fact) -> None:
    _done(changes, fact).status = "acknowledged"


def _dismissed(changes: AlertChanges, fact: Fact) -> None:
    _done(changes, fact).status = "dismissed"


def _snoozed(changes: AlertChanges, fact: Fact) -> None:
    row = _done(changes, fact)
    row.status, row.snoozed_until = "snoozed", fact.event.until


def _done(changes: AlertChanges, fact: Fact) -> CostAlertRow:
    row, event = _row(changes, fact), fact.event
    row.note, row.done_by, row.done_at = clean(event.note), event.actor, event.at
    return row


def _resolved(changes: AlertChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.status, row.reason = "resolved", fact.event.reason


def _acted(changes: AlertChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.acted, row.refusal = fact.event.done, clean(fact.event.refusal)


class CostAlertsProjection(Projection[AlertChanges]):
    """cost_alert_list."""

    name = "cost_alerts"
    tables = ("cost_alert_list",)
    ddl = ALERTS.ddl
    indexes = (
        "create index cost_alert_list_raised_idx on cost_alert_list (raised_at desc, alert_id desc)",
        "create index cost_alert_list_standing_idx on cost_alert_list (process_id)"
        " where status not in ('resolved', 'dismissed')",
    )
    handlers: dict[str, Handler[AlertChanges]] = {
        "CostAlertRaised": _raised,
        "CostAlertAcknowledged": _acknowledged,
        "CostAlertDismissed": _dismissed,
        "CostAlertSnoozed": _snoozed,
        "CostAlertResolved": _resolved,
        "CostAlertActed": _acted,
    }

    def changes(self) -> AlertChanges:
        return {}

    def write(self, connection: Connection[Any], changes: AlertChanges) -> None:
        ALERTS.write(connection, changes.values())
