"""The sensitive values of executions, from the log: those of an execution and of all in its execution tree."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepCompleted
from domain.executions.masking import Secrets
from domain.language.types.sensitive import SensitiveFields
from queries.definitions import Definitions
from queries.reading import Reading
from store.mapper import decode

MAX_EXECUTIONS = 2_000
MAX_EVENTS = 1_000
MAX_BYTES = 16 << 20

_FIRST = """select originator_id, state from stored_events
where originator_id = any(%s) and originator_version = 1 and topic = 'ExecutionStarted'"""
# Process and version stand in an ExecutionStarted before anything that a person wrote, the actor aside, whose
# quotation marks are escaped.
_TREE = """
with recursive tree(root, id) as (
  select root, root from unnest(%s::uuid[]) root
  union
  select tree.root, substring(convert_from(e.state, 'UTF8') from '"child":"([0-9a-f-]{36})"')::uuid
  from tree join stored_events e on e.originator_id = tree.id and e.topic = 'SubProcessStarted')
select tree.root, tree.id,
  substring(convert_from(s.state, 'UTF8') from '"process_id":"([0-9a-f-]{36})"')::uuid,
  substring(convert_from(s.state, 'UTF8') from '"process_id":"[0-9a-f-]{36}","process":"[^"]*","version":([0-9]+)')::int
from tree join stored_events s on s.originator_id = tree.id and s.originator_version = 1
  and s.topic = 'ExecutionStarted'
limit %s"""
_VALUES = """
select originator_id, topic, case when bytes <= %s then state end from (
  select originator_id, topic, state,
    sum(octet_length(state)) over (order by originator_id, originator_version) as bytes
  from stored_events where originator_id = any(%s) and topic = any(%s)
  order by originator_id, originator_version limit %s) found"""


@dataclass(frozen=True, slots=True)
class _Begun:
    root: UUID
    fields: SensitiveFields
    alone: bool

    @property
    def plain(self) -> bool:
        """Whether no sensitive value can stand in it: it marks none, and no other execution passes any on."""
        return self.alone and not self.fields.any


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The sensitive values of one execution's tree, and the sensitive fields of the execution itself."""

    secrets: Secrets = field(default_factory=Secrets)
    fields: SensitiveFields = field(default_factory=SensitiveFields)


class SensitiveValues:
    """Finds the sensitive values of executions. The first event of an execution never changes; its facts are kept."""

    def __init__(self, reading: Reading, definitions: Definitions, size: int = 10_000) -> None:
        self._reading = reading
        self._definitions = definitions
        self._size = size
        self._begun: dict[UUID, _Begun] = {}
        self._keeping = threading.Lock()

    def of(self, ids: Iterable[UUID]) -> dict[UUID, Sensitivity]:
        """Return the sensitivity of those executions that show a sensitive value, or may; the others are left out.

        Read after the views, so that a value in a view is found. Raises Outage.
        """
        requested = list(dict.fromkeys(ids))
        if all((kept := self._begun.get(id)) is not None and kept.plain for id in requested):
            return {}
        with self._reading.datastore.reading() as connection:
            begun = {id: each for id, each in self._all_begun(connection, requested).items() if not each.plain}
            trees: dict[UUID, dict[UUID, SensitiveFields] | None] = {
                id: {id: each.fields} for id, each in begun.items() if each.alone
            }
            trees |= self._trees(connection, {each.root for each in begun.values() if not each.alone})
            secrets = {root: _secrets(connection, tree) for root, tree in trees.items() if tree is None or tree}
        return {id: Sensitivity(secrets[each.root], each.fields) for id, each in begun.items() if each.root in secrets}

    def _all_begun(self, connection: Connection[Any], ids: list[UUID]) -> dict[UUID, _Begun]:
        found = {id: kept for id in ids if (kept := self._begun.get(id)) is not None}
        missing = [id for id in ids if id not in found]
        if missing:
            for id, state in _rows(connection, _FIRST, (missing,)):
                event = decode("ExecutionStarted", state)
                assert isinstance(event, ExecutionStarted)
                fields, calls = self._definitions.fields(connection, event.process_id, event.version)
                root = id if event.parent is None else event.parent.root
                alone = event.parent is None and not calls
                found[id] = _Begun(root, fields, alone)
            with self._keeping:
                if len(self._begun) >= self._size:
                    self._begun.clear()
                self._begun.update(found)
        return found

    def _trees(self, connection: Connection[Any], roots: set[UUID]) -> dict[UUID, dict[UUID, SensitiveFields] | None]:
        """Return by root the executions of its tree that have sensitive fields; None if the trees are too large."""
        if not roots:
            return {}
        rows = _rows(connection, _TREE, (sorted(roots), MAX_EXECUTIONS + 1))
        if len(rows) > MAX_EXECUTIONS:
            return dict.fromkeys(roots)
        trees: dict[UUID, dict[UUID, SensitiveFields] | None] = {}
        for root, id, process_id, version in rows:
            fields, _ = self._definitions.fields(connection, process_id, version)
            tree = trees.setdefault(root, {})
            if fields.any and tree is not None:
                tree[id] = fields
        return trees


def _secrets(connection: Connection[Any], tree: Mapping[UUID, SensitiveFields] | None) -> Secrets:
    secrets = Secrets()
    if tree is None:
        secrets.whole = True
        return secrets
    topics = ["ExecutionStarted"] + (["StepCompleted"] if any(each.outputs for each in tree.values()) else [])
    rows = _rows(connection, _VALUES, (MAX_BYTES, [*tree], topics, MAX_EVENTS + 1))
    if len(rows) > MAX_EVENTS or any(state is None for _, _, state in rows):
        secrets.whole = True
        return secrets
    for id, topic, state in rows:
        event, fields = decode(topic, state), tree[id]
        if isinstance(event, ExecutionStarted):
            secrets.collect(event.input, fields.input)
        elif isinstance(event, StepCompleted):
            secrets.collect(event.output, fields.outputs.get(event.step, ()))
    return secrets


def _rows(connection: Connection[Any], query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()
