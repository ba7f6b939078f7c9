"""The cost alerts that are not over: when each ends by itself, and the act that its threshold requests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.alerts.events import CostAlertActed, CostAlertDismissed, CostAlertRaised, CostAlertResolved
from domain.catalogue import STORED_NAMES
from domain.event import Event
from store import arrays
from store.lists.alerts_aside import WAITING
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.mapper import decode
from store.unit import StreamChange

MOST = 500

_ENDING = f"""select alert_id from standing_alerts s where resolves_at <= %b and not {WAITING}
order by resolves_at limit %b"""
_ACTS = f"select alert_id, act from standing_alerts s where act <> '' and not {WAITING} order by alert_id limit %b"
LISTED = "select alert_id, process_id, kind, rule, resolves_at, act from standing_alerts"
STRIKE = "delete from standing_alerts where alert_id = any(%b)"
INSERT = """insert into standing_alerts (alert_id, process_id, kind, rule, resolves_at, act)
select * from unnest(%b, %b, %b, %b, %b, %b)
on conflict (alert_id) do update set process_id = excluded.process_id, kind = excluded.kind, rule = excluded.rule,
  resolves_at = excluded.resolves_at, act = excluded.act"""

StandingRow = tuple[bytes, str, int, datetime | None, str]
"""(process_id, kind, rule, resolves_at, act)"""


class StandingRule(msgspec.Struct, frozen=True):
    """A rule of which alerts stand. process_id: 16 bytes."""

    process_id: bytes
    kind: str
    rule: int


def ending(connection: Connection[Any], now: datetime) -> list[bytes]:
    """Return alerts whose window is over, those first that ended first; leave out those that wait set aside."""
    return [row[0] for row in tuples(connection, _ENDING, (now, now, MOST))]


def to_act(connection: Connection[Any], now: datetime) -> list[tuple[bytes, str]]:
    """Return alerts for which something is still to be done, and what; leave out those that wait set aside."""
    return [(row[0], row[1]) for row in tuples(connection, _ACTS, (now, MOST))]


class StandingAlertMoves(Moves):
    """The alerts that one append raises and ends."""

    function = "move_standing_alerts_v1"

    def __init__(self) -> None:
        self._raised: dict[bytes, CostAlertRaised] = {}
        self._acted: list[bytes] = []
        self._over: list[bytes] = []

    def _rise(self, event: CostAlertRaised, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._raised[stream] = event

    def _act(self, _event: Event, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._acted.append(stream)

    def _end(self, _event: Event, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._over.append(stream)

    handlers = {
        CostAlertRaised: _rise,
        CostAlertActed: _act,
        CostAlertDismissed: _end,
        CostAlertResolved: _end,
    }

    def arguments(self) -> Arguments:
        """Return the alerts to insert, those for which something was done, and those to strike off."""
        if not (self._raised or self._acted or self._over):
            return ()
        raised = list(self._raised.values())
        return (
            arrays.uuid_bytes(list(self._raised)),
            arrays.uuids([event.process_id for event in raised]),
            arrays.texts([event.kind for event in raised]),
            arrays.ints([event.rule for event in raised]),
            arrays.timestamptzs([event.resolves_at for event in raised]),
            arrays.texts([event.on_alert for event in raised]),
            arrays.uuid_bytes(self._acted),
            arrays.uuid_bytes(self._over),
        )


class StandingAlertsProof(FoldingProof):
    """The last event of each alert says whether it is over."""

    topics = sorted(STORED_NAMES[kind] for kind in StandingAlertMoves.handlers)

    def __init__(self) -> None:
        self._rows: dict[bytes, StandingRow] = {}

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            event = decode(topic, state)
            if isinstance(event, CostAlertRaised):
                self._rows[stream] = (
                    event.process_id.bytes,
                    event.kind,
                    event.rule,
                    event.resolves_at,
                    event.on_alert,
                )
            elif isinstance(event, CostAlertActed):
                if stream in self._rows:
                    self._rows[stream] = (*self._rows[stream][:4], "")
            else:
                self._rows.pop(stream, None)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        listed = _listed(connection)
        differing = sorted(id for id in listed.keys() | self._rows.keys() if listed.get(id) != self._rows.get(id))
        return len(self._rows), [_difference(id, listed.get(id), self._rows.get(id)) for id in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        listed = _listed(connection)
        surplus = [id for id in listed if id not in self._rows]
        wrong = [(id, *row) for id, row in self._rows.items() if listed.get(id) != row]
        if surplus:
            connection.execute(STRIKE, (arrays.uuid_bytes(surplus),))
        if wrong:
            ids, processes, kinds, rules, ends, acts = zip(*wrong, strict=True)
            columns = arrays.uuid_bytes(ids), arrays.uuid_bytes(processes), arrays.texts(kinds), arrays.ints(rules)
            connection.execute(INSERT, (*columns, arrays.timestamptzs(ends), arrays.texts(acts)))


def _listed(connection: Connection[Any]) -> dict[bytes, StandingRow]:
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in tuples(connection, LISTED)}


def _difference(id: bytes, listed: StandingRow | None, expected: StandingRow | None) -> ListDifference:
    def row(found: StandingRow | None) -> dict[str, Any] | None:
        if found is None:
            return None
        process, kind, rule, ends, act = found
        ended = None if ends is None else ends.isoformat()
        return {"process_id": str(UUID(bytes=process)), "kind": kind, "rule": rule, "resolves_at": ended, "act": act}

    return ListDifference(STANDING_ALERTS.name, {"alert_id": str(UUID(bytes=id))}, row(listed), row(expected))


STANDING_ALERTS = KeptList("standing_alerts", StandingAlertMoves, StandingAlertsProof)
