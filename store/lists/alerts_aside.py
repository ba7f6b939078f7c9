"""The cost alerts that are set aside: rows beside those of executions, tried again when they are due."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from store.lists.set_aside import storable

KIND = "cost_alert"
WAITING = "exists (select from set_aside a where a.execution_id = s.alert_id and a.next_try > %b)"
"""Holds for a row `s` of an alert that waits for its next try. Parameter: now."""

_TO_DECIDE = """select execution_id, found from set_aside
where kind = %s and (next_try <= %s or execution_id = any(%s)) order by next_try limit 1000"""
# A failure before the next try counts as the same one, as in `set_aside_v1`.
_SET_ASIDE = """insert into set_aside as s (execution_id, error, kind, found, since, next_try)
values (%(id)s, %(error)s, %(kind)s, %(found)s, %(now)s, %(now)s + %(first)s)
on conflict (execution_id) do update set error = excluded.error, found = coalesce(excluded.found, s.found),
  tries = case when s.next_try <= %(now)s then s.tries + 1 else s.tries end,
  next_try = case when s.next_try <= %(now)s
    then %(now)s + least(%(longest)s, %(first)s * power(2, least(s.tries, 10))) else s.next_try end
returning tries, next_try"""
# No statement joins a list, as migration 0038 says.
_DECIDED = """delete from set_aside where execution_id = any(%s) and kind = %s
  and execution_id <> all(array(select alert_id from standing_alerts where act <> ''))"""
_NOTHING_FOUND = "update set_aside set found = null where execution_id = any(%s) and kind = %s"
_ACTED = "delete from set_aside where execution_id = %s and kind = %s and found is null"


def to_decide(connection: Connection[Any], ids: Collection[UUID], now: datetime) -> dict[UUID, str | None]:
    """Return the alerts that are set aside and due, and those among `ids`: of each, what its total did since."""
    rows = connection.execute(_TO_DECIDE, (KIND, now, list(ids))).fetchall()
    return {row["execution_id"]: row["found"] for row in rows}


def set_aside(
    connection: Connection[Any],
    alert: UUID,
    error: str,
    now: datetime,
    waits: tuple[timedelta, timedelta],
    found: str | None,
) -> tuple[int, datetime]:
    """Set an alert aside, or note one more failure; return how often it failed, and when it is tried again.

    waits: the first, and the longest. found: in place of what its total did since; None leaves that as it is.
    """
    first, longest = waits
    facts = {"id": alert, "error": storable(error), "kind": KIND, "found": found, "now": now}
    row = connection.execute(_SET_ASIDE, {**facts, "first": first, "longest": longest}).fetchone()
    assert row is not None
    return row["tries"], row["next_try"]


def decided(connection: Connection[Any], alerts: Collection[UUID]) -> None:
    """Take alerts back about which a decision succeeded; those whose act is still to be carried out wait on for it."""
    connection.execute(_DECIDED, (list(alerts), KIND))
    connection.execute(_NOTHING_FOUND, (list(alerts), KIND))


def acted(connection: Connection[Any], alert: UUID) -> None:
    """Take an alert back whose act succeeded, unless a decision about it is still to be taken."""
    connection.execute(_ACTED, (alert, KIND))


def is_alert(connection: Connection[Any], id: UUID) -> bool:
    """Return whether what is set aside under this id is a cost alert."""
    row = connection.execute("select from set_aside where execution_id = %s and kind = %s", (id, KIND)).fetchone()
    return row is not None
