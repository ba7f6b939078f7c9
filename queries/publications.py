"""Which published versions mark sensitive fields, and which processes lead to one: kept, and read on at every use."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.identity import process_id
from domain.language import load_definition
from domain.language.types.sensitive import SensitiveFields, sensitive_fields
from domain.processes.events import ProcessPublished
from store.mapper import decode

PAGE = 50

# The last publication that is known comes first, so that the log still holds it. An index has publications only. The
# texts of all others are not read: the definition is JSON, which writes these words as they are.
_BEYOND = """
select notification_id, originator_id, originator_version, substr(state, 1, 64),
  case when notification_id > %(known)s and (position('sensitive'::bytea in state) > 0
    or position('sub_process'::bytea in state) > 0) then state end
from stored_events where topic = 'ProcessPublished' and notification_id >= %(known)s
order by notification_id limit %(page)s"""


@dataclass(frozen=True)
class Publications:
    """The facts of all publications. marked: the sensitive fields of each version that has any. leading: the processes
    of which a version marks a field, or calls one that leads to such a process.

    epoch: grows when the log was replaced by another one. last: the newest publication, by which that shows.
    """

    marked: Mapping[tuple[UUID, int], SensitiveFields] = field(default_factory=dict)
    leading: frozenset[UUID] = frozenset()
    callers: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    position: int = 0
    last: tuple[Any, ...] | None = None
    epoch: int = 0

    @property
    def any(self) -> bool:
        """Whether a version marks a field."""
        return bool(self.marked)


class KnownPublications:
    """The publications of the log; a version that is published is known to the next reading, in every process."""

    def __init__(self) -> None:
        self._known = Publications()
        self._extending = threading.Lock()

    def read(self, connection: Connection[Any]) -> Publications:
        """Return what all publications say that the log holds now: one query, and more only after a publication."""
        known = self._known
        rows = _beyond(connection, known)
        if rows and rows[0][:4] == known.last:
            rows = rows[1:]
            if not rows:
                return known
        elif not rows and known.last is None:
            return known
        with self._extending:
            return self._extend(connection)

    def _extend(self, connection: Connection[Any]) -> Publications:
        known = self._known
        while True:
            rows = _beyond(connection, known)
            full = len(rows) == PAGE
            if known.last is not None:
                if not rows or rows[0][:4] != known.last:
                    known = Publications(epoch=known.epoch + 1)
                    continue
                rows = rows[1:]
            known = _extended(known, rows)
            if not full:
                self._known = known
                return known


def _beyond(connection: Connection[Any], known: Publications) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_BEYOND, {"known": known.position, "page": PAGE}, prepare=True).fetchall()


def _extended(known: Publications, rows: list[tuple[Any, ...]]) -> Publications:
    marked, callers = dict(known.marked), dict(known.callers)
    for _, id, _, _, state in rows:
        if state is None:
            continue
        published = decode("ProcessPublished", state)
        assert isinstance(published, ProcessPublished)
        fields = sensitive_fields(load_definition(published.definition))
        if fields.any:
            marked[id, published.version] = fields
        for called in _called(published):
            callers[called] = callers.get(called, frozenset()) | {id}
    position, last = (rows[-1][0], rows[-1][:4]) if rows else (known.position, known.last)
    leading = _leading({id for id, _ in marked}, callers)
    return Publications(marked, leading, callers, position, last, known.epoch)


def _called(published: ProcessPublished) -> set[UUID]:
    return {process_id(name) for name in _names(msgspec.convert(published.definition, _Definition))}


def _names(holder: "_Definition | _Step") -> Iterator[str]:
    """Yield the names of the processes that steps call, those inside bodies too."""
    for step in holder.steps:
        if step.type == "sub_process" and step.process is not None:
            yield step.process
        yield from _names(step)


def _leading(marked: Iterable[UUID], callers: Mapping[UUID, frozenset[UUID]]) -> frozenset[UUID]:
    found: set[UUID] = set()
    waiting = [*marked]
    while waiting:
        id = waiting.pop()
        if id not in found:
            found.add(id)
            waiting += callers.get(id, ())
    return frozenset(found)


class _Step(msgspec.Struct, frozen=True):
    type: str = "agent_task"
    process: str | None = None
    steps: list["_Step"] = []


class _Definition(msgspec.Struct, frozen=True):
    steps: list[_Step]
