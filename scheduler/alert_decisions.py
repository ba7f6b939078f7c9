"""The decisions about cost alerts: what is found about each, decided on its state in the log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.alerts.alert import fold
from domain.alerts.crossing import Crossed
from domain.alerts.decisions import CORRECTION, raise_alert, resolve_alert
from domain.event import Cause, Event
from projections.cost_totals import contributors_before, unpriced_before
from scheduler.alerts_aside import FoundLevels
from store import arrays
from store.mapper import decode
from store.unit import Unit

_STREAMS = """select originator_id, topic, state from stored_events where originator_id = any(%b)
order by originator_id, originator_version"""


class AlertWork(msgspec.Struct, frozen=True):
    """Changes of one alert to decide on. over: the reason why it ends, unless its total changes it; empty: none."""

    id: UUID
    found: FoundLevels
    over: str = ""


def decide_alerts(connection: Connection[Any], works: Sequence[AlertWork], cause: Cause) -> list[Unit]:
    """Return the units that raise and resolve alerts. Raises the error of a stream that cannot be read."""
    alerts = read_alerts(connection, [work.id for work in works])
    explained = _explained(connection, [each for work in works for each in work.found if each is not None])
    units: list[Unit] = []
    for work in works:
        past = alerts.get(work.id, [])
        new: list[Event] = []
        for each in work.found:
            alert = fold([*past, *new])
            if each is not None:
                by = Cause(cause.at, cause.actor, f"position:{each.crossing.position}")
                new += raise_alert(alert, explained[id(each)], by)
            elif alert is not None:
                new += resolve_alert(alert, CORRECTION, cause)
        if work.over and not new and (alert := fold(past)) is not None:
            new += resolve_alert(alert, work.over, cause)
        if new:
            units.append(Unit(work.id, len(past), new))
    return units


def read_alerts(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, list[Event]]:
    """Return the events of alerts; leave out those that were never raised."""
    found: dict[UUID, list[Event]] = {}
    if ids:
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            for id, topic, state in cursor.execute(_STREAMS, (arrays.uuids(ids),), prepare=True):
                found.setdefault(UUID(bytes=id), []).append(decode(topic, state))
    return found


def _explained(connection: Connection[Any], crossed: Sequence[Crossed]) -> dict[int, Crossed]:
    totals = [(each.total, each.crossing.position + (each.crossing.execution_id is not None)) for each in crossed]
    contributors = contributors_before(connection, totals)
    unpriced = unpriced_before(connection, totals)
    return {
        id(each): msgspec.structs.replace(each, contributors=of, unpriced=n)
        for each, of, n in zip(crossed, contributors, unpriced, strict=True)
    }
