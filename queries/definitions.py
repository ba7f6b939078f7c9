"""The steps of published versions, read once: a version never changes."""

import threading
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.language import load_definition
from domain.processes.events import ProcessPublished
from domain.processes.plan import Plan, compile_plan
from domain.refusal import NotFound
from queries.reading import Reading, fetch
from store.mapper import decode

_STEPS = "select definition from process_versions where process_id = %s and version = %s"
# Versions are published as 1, 2, 3...
_PUBLISHED = """select topic, state from stored_events where originator_id = %s and topic = 'ProcessPublished'
order by originator_version offset %s - 1 limit 1"""


class _Compensation(msgspec.Struct, frozen=True):
    type: str = "agent_task"
    agent: str | None = None


class DefinedStep(msgspec.Struct, frozen=True):
    """A step of a definition, as far as a view shows it."""

    id: str
    name: str | None = None
    type: str = "agent_task"
    agent: str | None = None
    depends_on: list[str] = []
    compensation: _Compensation | None = None
    compensates: str | None = None
    steps: list["DefinedStep"] = []


class _Definition(msgspec.Struct, frozen=True):
    steps: list[DefinedStep]

    def inner(self, body: str) -> list[DefinedStep]:
        """Return the steps of a body by its path; those of the process for the empty one."""
        found = self.steps
        for step in body.split("/") if body else ():
            found = next(each.steps for each in found if each.id == step)
        return found


_Key = tuple[UUID, int, str]


_decode_definition = msgspec.json.Decoder(_Definition).decode


class Definitions:
    """The steps of published versions, read once: a version never changes."""

    def __init__(self, size: int = 1_000) -> None:
        self._size = size
        self._kept: dict[_Key, list[DefinedStep]] = {}
        self._compiled: dict[_Key, tuple[Plan, list[DefinedStep]]] = {}
        self._keeping = threading.Lock()

    def forget_all(self) -> None:
        """Forget everything read: after events were lost, another text may be published under their numbers."""
        self._kept, self._compiled = {}, {}

    def steps(
        self, connection: Connection[DictRow], process_id: UUID, version: int, body: str = ""
    ) -> list[DefinedStep]:
        """Return the steps of a version in order; none while the read model has not reached its publication.

        body: the path of the steps that run, here and below; empty for the process itself.
        """
        every = self._kept
        kept = every.get((process_id, version, body))
        if kept is not None:
            return kept
        rows = fetch(connection, _STEPS, (process_id, version))
        if not rows:
            return []
        steps = _decode_definition(rows[0]["definition"]).inner(body)
        with self._keeping:
            if len(every) >= self._size:
                every.clear()
            every[process_id, version, body] = steps
        return steps

    def plan(self, reading: Reading, process_id: UUID, version: int, body: str = "") -> Plan:
        """Return the plan of a version. Raises NotFound."""
        return self.shape(reading, process_id, version, body)[0]

    def shape(self, reading: Reading, process_id: UUID, version: int, body: str = "") -> tuple[Plan, list[DefinedStep]]:
        """Return the plan of a version, and its steps in order. Raises NotFound."""
        kept = self._compiled.get((process_id, version, body))
        if kept is None:
            with reading.datastore.reading() as connection:
                kept = self.compiled(connection, process_id, version, body)
        return kept

    def compiled(
        self, connection: Connection[DictRow], process_id: UUID, version: int, body: str = ""
    ) -> tuple[Plan, list[DefinedStep]]:
        """Return the plan of a version, and its steps in order, from the log. Raises NotFound."""
        every = self._compiled
        kept = every.get((process_id, version, body))
        if kept is not None:
            return kept
        rows = fetch(connection, _PUBLISHED, (process_id, version))
        if not rows:
            raise NotFound(f"the process has no version {version}")
        published = decode(rows[0]["topic"], rows[0]["state"])
        assert isinstance(published, ProcessPublished)
        plan = compile_plan(load_definition(published.definition), process_id, version).inner(body)
        found = plan, msgspec.convert(published.definition, _Definition).inner(body)
        with self._keeping:
            if len(every) >= self._size:
                every.clear()
            every[process_id, version, body] = found
        return found
