"""Cost alerts: the list by time, the number of open ones, and one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.counts import RowCount
from queries.exchange import Question, answer
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Freshness, Reading, fetch

ALERTS = "cost_alerts"
MOST_COUNTED = 1_000

# A snooze that is over needs no event: the alert is open again.
_STATUS = "case when a.status = 'snoozed' and a.snoozed_until <= now() then 'open' else a.status end"
_SELECT = f"""
select a.*, {_STATUS} as status_now from cost_alert_list a where {{where}}
order by a.raised_at desc, a.alert_id desc limit %(rows)s"""
_NOT_OVER = "select from cost_alert_list a where a.status not in ('resolved', 'dismissed')"
_COUNT = f"select count(*) as n from ({_NOT_OVER} and {{where}} limit %(rows)s) found"


class AlertRuleView(msgspec.Struct, frozen=True):
    """The threshold of an alert. amount: what was reached; limit: of the alert of this level.

    source: ``version`` or ``command``; version: of the process, then. on_alert: the act that it requests.
    """

    kind: str
    amount: str
    limit: str
    currency: str
    level: str
    source: str
    version: int
    rule: int
    on_alert: str | None


WindowView = msgspec.defstruct(
    "WindowView",
    [("from", datetime), ("to", datetime), ("timezone", str)],
    namespace={"__doc__": "The instants from `from` until `to`, between midnights of the zone."},
    module=__name__,
    frozen=True,
)


class CrossingView(msgspec.Struct, frozen=True):
    """The event that reached the amount. Without an execution it is the one that set the threshold."""

    position: int
    execution_id: UUID | None
    step: str | None


class ContributorView(msgspec.Struct, frozen=True):
    """A step and what it had cost by then. costs: the number of bookings."""

    process: str
    step: str
    amount: str
    costs: int


class AlertActView(msgspec.Struct, frozen=True):
    """The act of a threshold with `on_alert`. done: how many schedules or executions; refusal: why none."""

    act: str
    done: int
    refusal: str


class CostAlertView(msgspec.Struct, frozen=True):
    """A cost alert. before, after: the total around the crossing. unpriced: costs without a price, so it may be more.

    late: its window was over when it was raised. from_correction: a corrected cost raised it. note, by, at: of what a
    person did last. reason: why it is over. resolves_at: when it ends by itself.
    """

    alert_id: UUID
    process_id: UUID
    process: str
    rule: AlertRuleView
    status: str
    execution_id: UUID | None
    window: WindowView | None  # type: ignore[valid-type] # `from` is a word of Python
    raised_at: datetime
    crossing: CrossingView
    before: str
    after: str
    contributors: list[ContributorView]
    unpriced: int
    from_correction: bool
    late: bool
    resolves_at: datetime | None
    snoozed_until: datetime | None
    note: str | None
    by: str | None
    at: datetime | None
    reason: str | None
    acted: AlertActView | None


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """process_ids, statuses: any of them, all without one. within: names of processes or their beginnings."""

    process_ids: Sequence[UUID] = ()
    statuses: Sequence[str] = ()
    within: Sequence[str] = ()


class OpenAlerts(msgspec.Struct, frozen=True):
    """The number of open alerts; at most 1,000 are counted."""

    open: int


_contributors = msgspec.json.Decoder(list[ContributorView]).decode
NO_FILTER = AlertFilter()


def list_alerts(
    reading: Reading,
    filter: AlertFilter = NO_FILTER,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[CostAlertView]:
    """Return alerts, the latest first. Raises BadCursor or NotYet."""
    return answer(reading, alerts_listed(filter, cursor, limit), min_position)


def alerts_listed(filter: AlertFilter, cursor: str | None, limit: int) -> Question[Page[CostAlertView]]:
    """Return the question for alerts, the latest first. Raises BadCursor."""
    where = _where(filter, limit + 1)
    if cursor is not None:
        where.before(("a.raised_at", "a.alert_id"), _read_cursor(cursor))

    def view(rows: list[DictRow], freshness: Freshness) -> Page[CostAlertView]:
        page = page_of(rows, limit, freshness, _cursor)
        return Page([_view(row) for row in page.items], page.next_cursor, page.as_of_position, page.lag_seconds)

    return Question(ALERTS, _SELECT.format(where=where.sql), where.parameters, view)


def count_open_alerts(
    reading: Reading, *, within: Sequence[str] = (), most: int = MOST_COUNTED, min_position: int | None = None
) -> int:
    """Return the number of open alerts, at most `most`."""
    where = _where(AlertFilter(statuses=("open",), within=within), most)
    with reading.of(ALERTS, min_position) as (connection, _):
        rows = fetch(connection, _COUNT.format(where=where.sql), where.parameters)
    return int(rows[0]["n"])


def alerts_counted(within: Sequence[str]) -> RowCount:
    """Return the count of open alerts."""
    where = Where(prefix="alert_")
    _add_conditions(where, AlertFilter(statuses=("open",), within=within))
    return RowCount(ALERTS, f"{_NOT_OVER} and {where.sql}", where.parameters)


def get_alert(reading: Reading, alert_id: UUID, *, min_position: int | None = None) -> CostAlertView:
    """Return one alert. Raises NotFound or NotYet."""
    where = _where(NO_FILTER, 1)
    where.add("a.alert_id = {}", alert_id)
    with reading.of(ALERTS, min_position) as (connection, _):
        rows = fetch(connection, _SELECT.format(where=where.sql), where.parameters)
    if not rows:
        raise NotFound(f"there is no cost alert {alert_id}")
    return _view(rows[0])


def _where(filter: AlertFilter, rows: int) -> Where:
    where = Where({"rows": rows})
    _add_conditions(where, filter)
    return where


def _add_conditions(where: Where, filter: AlertFilter) -> None:
    where.holds("a.process_id is not null")
    where.any_of("a.process_id", filter.process_ids, "uuid")
    where.any_of(_STATUS, filter.statuses, "text")
    where.within("a.process", filter.within)


def _view(row: Mapping[str, Any]) -> CostAlertView:
    rule = AlertRuleView(
        row["kind"],
        format(row["amount"], "f"),
        format(row["limit_amount"], "f"),
        row["currency"],
        row["level"],
        row["source"],
        row["version"],
        row["rule"],
        row["on_alert"] or None,
    )
    window = None
    if row["window_begin"] is not None:
        window = WindowView(row["window_begin"], row["window_end"], row["timezone"])
    over, status = row["status_now"] == "resolved", row["status_now"]
    return CostAlertView(
        row["alert_id"],
        row["process_id"],
        row["process"],
        rule,
        status,
        row["execution_id"],
        window,
        row["raised_at"],
        CrossingView(row["crossing_position"], row["crossing_execution"], row["crossing_step"] or None),
        format(row["before"], "f"),
        format(row["after"], "f"),
        _contributors(bytes(row["contributors"])) if row["contributors"] is not None else [],
        row["unpriced"],
        bool(row["from_correction"]),
        bool(row["late"]),
        row["resolves_at"],
        row["snoozed_until"] if status == "snoozed" else None,
        row["note"],
        row["done_by"],
        row["done_at"],
        row["reason"] if over else None,
        None if row["acted"] is None else AlertActView(row["on_alert"], row["acted"], row["refusal"]),
    )


def _cursor(row: Mapping[str, Any]) -> str:
    return write_cursor("cost-alerts", f"{row['raised_at'].astimezone(UTC).isoformat()} {row['alert_id']}")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        written, id = read_cursor("cost-alerts", cursor).split(" ")
        at = datetime.fromisoformat(written)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at, UUID(id)
    except ValueError:
        raise bad_cursor() from None
