"""The sensitive values of executions, from the log: those of an execution and of all in its execution tree."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from domain.executions.events.child import ChildStarted
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepCompleted
from domain.language.types.sensitive import NO_FIELDS, SensitiveFields
from domain.masking import Secrets
from queries.publications import KnownPublications, Publications
from queries.reading import Reading
from store.mapper import decode

MAX_EXECUTIONS = 2_000
MAX_EVENTS = 1_000
MAX_BYTES = 16 << 20

_FIRST = """select originator_id, topic, state from stored_events
where originator_id = any(%s) and originator_version = 1"""
# Process and version stand in both events before anything that a person wrote, the actor aside, whose quotation marks
# are escaped. Only executions of processes that lead to a sensitive field are walked.
_TREE = """
with recursive tree(root, id) as (
  select root, root from unnest(%(roots)s::uuid[]) root
  union
  select tree.root, substring(convert_from(e.state, 'UTF8') from '"child":"([0-9a-f-]{36})"')::uuid
  from tree join stored_events e on e.originator_id = tree.id and e.topic in ('SubProcessStarted', 'ItemStarted')
  where substring(convert_from(e.state, 'UTF8') from '"process_id":"([0-9a-f-]{36})"')::uuid = any(%(leading)s))
select tree.root, tree.id,
  substring(convert_from(s.state, 'UTF8') from '"process_id":"([0-9a-f-]{36})"')::uuid,
  substring(convert_from(s.state, 'UTF8') from '"process_id":"[0-9a-f-]{36}","process":"[^"]*","version":([0-9]+)')::int
from tree join stored_events s on s.originator_id = tree.id and s.originator_version = 1
  and s.topic = 'ExecutionStarted'
limit %(most)s"""
# The input of a called process stands in the event of its caller first, and there alone if it never starts.
_VALUES = """
select originator_id, topic, case when bytes <= %(bytes)s then state end from (
  select originator_id, topic, state,
    sum(octet_length(state)) over (order by originator_id, originator_version) as bytes
  from stored_events where originator_id = any(%(marked)s) and topic = any(%(topics)s)
    or originator_id = any(%(walked)s) and topic in ('SubProcessStarted', 'ItemStarted')
      and substring(convert_from(state, 'UTF8') from '"process_id":"([0-9a-f-]{36})"')::uuid = any(%(called)s)
  order by originator_id, originator_version limit %(events)s) found"""


@dataclass(frozen=True, slots=True)
class _Begun:
    """The facts of an execution's first event. root: of its execution tree."""

    process: str
    process_id: UUID
    version: int
    root: UUID
    body: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The sensitive values of one execution's tree, and the sensitive fields of the execution itself.

    marked: the sensitive fields of each version that has any, for the input of the processes that it calls.
    """

    secrets: Secrets
    fields: SensitiveFields = field(default_factory=SensitiveFields)
    marked: Mapping[tuple[UUID, int], SensitiveFields] = field(default_factory=dict)


class SensitiveValues:
    """Finds the sensitive values of executions. The first event of an execution never changes; its facts are kept."""

    def __init__(self, reading: Reading, size: int = 10_000) -> None:
        self._reading = reading
        self._publications = KnownPublications()
        self._size = size
        self._begun: dict[UUID, _Begun | None] = {}
        self._epoch = 0
        self._keeping = threading.Lock()
        reading.progress.main.epochs.subscribe(self.forget_all)

    def forget_all(self) -> None:
        """Read everything from the log again."""
        self._begun, self._publications = {}, KnownPublications()

    def any(self) -> bool:
        """Return whether a published version marks a field. Raises Outage."""
        with self._reading.datastore.reading() as connection:
            return self._publications.read(connection).any

    def marked(self) -> Mapping[tuple[UUID, int], SensitiveFields]:
        """Return the sensitive fields of each published version that has any. Raises Outage."""
        with self._reading.datastore.reading() as connection:
            return self._publications.read(connection).marked

    def processes(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Return the name of the process of each of the executions that the log holds. Raises Outage."""
        requested = list(dict.fromkeys(ids))
        if not requested:
            return {}
        with self._reading.datastore.reading() as connection:
            begun = self._all_begun(connection, requested, self._publications.read(connection).epoch)
        return {id: each.process for id, each in begun.items() if each is not None}

    def of(self, ids: Iterable[UUID]) -> dict[UUID, Sensitivity]:
        """Return the sensitivity of those executions that show a sensitive value, or may; the others are left out.

        Read after the views, so that a value in a view is found. Streams of other things than executions are left out;
        what the log does not hold counts as sensitive. Raises Outage.
        """
        requested = list(dict.fromkeys(ids))
        if not requested:
            return {}
        with self._reading.datastore.reading() as connection:
            known = self._publications.read(connection)
            if not known.any:
                return {}
            begun = self._all_begun(connection, requested, known.epoch)
            executions = [each for each in begun.values() if each is not None]
            roots = self._all_begun(connection, [each.root for each in executions], known.epoch)
            leading = {id for id, each in roots.items() if each is not None and each.process_id in known.leading}
            secrets = _secrets(connection, leading, known)
        found = {
            id: Sensitivity(
                secrets[each.root],
                known.marked.get((each.process_id, each.version), NO_FIELDS).within(each.body),
                known.marked,
            )
            for id, each in begun.items()
            if each is not None and each.root in secrets
        }
        lost = [id for id in requested if id not in begun]
        lost += [id for id, each in begun.items() if each is not None and each.root not in roots]
        return found | dict.fromkeys(lost, Sensitivity(_everything()))

    def _all_begun(self, connection: Connection[Any], ids: list[UUID], epoch: int) -> dict[UUID, _Begun | None]:
        """Return the facts of streams; None: of another thing than an execution. Unknown ones are left out."""
        with self._keeping:
            kept = self._begun
            if epoch != self._epoch:
                kept.clear()
                self._epoch = epoch
            found = {id: kept[id] for id in ids if id in kept}
        missing = [id for id in dict.fromkeys(ids) if id not in found]
        if missing:
            read = {id: _begun(id, topic, state) for id, topic, state in _rows(connection, _FIRST, (missing,))}
            found |= read
            with self._keeping:
                if len(kept) >= self._size:
                    kept.clear()
                if epoch == self._epoch:
                    kept.update(read)
        return found


def _begun(id: UUID, topic: str, state: bytes) -> _Begun | None:
    if topic != "ExecutionStarted":
        return None
    event = decode(topic, state)
    assert isinstance(event, ExecutionStarted)
    root = id if event.parent is None else event.parent.root
    return _Begun(event.process, event.process_id, event.version, root, event.body)


def _trees(
    connection: Connection[Any], roots: set[UUID], known: Publications
) -> dict[UUID, dict[UUID, SensitiveFields]] | None:
    """Return by root the executions of its tree that lead to sensitive fields, with those of their versions.

    None: too many.
    """
    if not roots:
        return {}
    parameters = {"roots": sorted(roots), "leading": sorted(known.leading), "most": MAX_EXECUTIONS + 1}
    rows = _rows(connection, _TREE, parameters)
    if len(rows) > MAX_EXECUTIONS:
        return None
    trees: dict[UUID, dict[UUID, SensitiveFields]] = {root: {} for root in roots}
    for root, id, process_id, version in rows:
        trees[root][id] = known.marked.get((process_id, version), NO_FIELDS)
    return trees


def _everything() -> Secrets:
    secrets = Secrets()
    secrets.whole = True
    return secrets


def _secrets(connection: Connection[Any], roots: set[UUID], known: Publications) -> dict[UUID, Secrets]:
    """Return by root the sensitive values of its tree; trees without a sensitive field are left out."""
    trees = _trees(connection, roots, known)
    if trees is None:
        return dict.fromkeys(roots, _everything())
    roots_by_id = {id: root for root, tree in trees.items() for id in tree}
    fields = {id: each for tree in trees.values() for id, each in tree.items()}
    marked = [id for id, each in fields.items() if each.any]
    found = {roots_by_id[id]: Secrets() for id in marked}
    if not fields:
        return found
    given = {
        "bytes": MAX_BYTES,
        "marked": marked,
        "topics": ["ExecutionStarted"] + (["StepCompleted"] if any(fields[id].any_output for id in marked) else []),
        "walked": [*fields],
        "called": sorted({id for id, _ in known.marked}),
        "events": MAX_EVENTS + 1,
    }
    rows = _rows(connection, _VALUES, given)
    if len(rows) > MAX_EVENTS or any(state is None for _, _, state in rows):
        return dict.fromkeys(roots, _everything())
    for id, topic, state in rows:
        event, secrets = decode(topic, state), found.setdefault(roots_by_id[id], Secrets())
        if isinstance(event, ExecutionStarted):
            # It comes first, and states the body that runs.
            fields[id] = fields[id].within(event.body)
            secrets.collect(event.input, fields[id].input)
        elif isinstance(event, StepCompleted):
            secrets.collect(event.output, fields[id].outputs.get(event.step, ()))
        elif isinstance(event, ChildStarted):
            called = known.marked.get((event.process_id, event.version), NO_FIELDS)
            secrets.collect(event.input, called.within(event.body).input)
    return found


def _rows(connection: Connection[Any], query: str, given: tuple[Any, ...] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, given, prepare=True).fetchall()
