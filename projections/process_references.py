"""The agents and processes that published versions name, by step: a row a reference."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, fixed, key

AGENT, PROCESS = "agent", "process"


class ReferenceRow(msgspec.Struct, gc=False, frozen=True):
    """A reference; it never changes. kind: ``agent`` or ``process``. name: of the agent or process that is named.

    role: ``executor``, ``monitor``, ``informed`` or ``compensation`` of an agent, ``called`` of a process.
    """

    process_id: Annotated[bytes, key("uuid not null")]
    version: Annotated[int, key("int not null")]
    kind: Annotated[str, key("text not null")]
    name: Annotated[str, key("text not null")]
    step: Annotated[str, key("text not null")]
    role: Annotated[str, key("text not null")]
    position: Annotated[int, fixed("bigint not null")]


REFERENCES = Table("process_references", ReferenceRow)
ReferenceChanges = dict[ReferenceRow, None]


class _NamedRoles(msgspec.Struct, gc=False, frozen=True):
    monitors: list[str] = []
    informed: list[str] = []


class _Undoing(msgspec.Struct, gc=False):
    agent: str | None = None


class _NamingStep(msgspec.Struct, gc=False):
    id: str
    agent: str | None = None
    process: str | None = None
    roles: _NamedRoles = _NamedRoles()
    compensation: _Undoing | None = None
    steps: list["_NamingStep"] = []


class _Naming(msgspec.Struct, gc=False):
    steps: list[_NamingStep] = []


_decode = msgspec.json.Decoder(_Naming).decode


def _published(changes: ReferenceChanges, fact: Fact) -> None:
    event = fact.event
    for kind, name, step, role in _references(_decode(event.definition)):
        row = ReferenceRow(fact.stream, event.version, kind, clean(name), clean(step), role, fact.position)
        changes.setdefault(row)


def _references(definition: _Naming) -> Iterator[tuple[str, str, str, str]]:
    for id, step in _steps(definition.steps, ""):
        if step.agent is not None:
            yield AGENT, step.agent, id, "executor"
        if step.compensation is not None and step.compensation.agent is not None:
            yield AGENT, step.compensation.agent, id, "compensation"
        for name in dict.fromkeys(step.roles.monitors):
            yield AGENT, name, id, "monitor"
        for name in dict.fromkeys(step.roles.informed):
            yield AGENT, name, id, "informed"
        if step.process is not None:
            yield PROCESS, step.process, id, "called"


def _steps(steps: list[_NamingStep], around: str) -> Iterator[tuple[str, _NamingStep]]:
    """Yield each step with the ids of those around it: `outer/inner`."""
    for step in steps:
        yield around + step.id, step
        yield from _steps(step.steps, f"{around}{step.id}/")


class ProcessReferencesProjection(Projection[ReferenceChanges]):
    """process_references, for the question which steps name an agent or call a process."""

    name = "process_references"
    tables = ("process_references",)
    ddl = REFERENCES.ddl
    indexes = ("create index process_references_name_idx on process_references (kind, name, process_id)",)
    handlers: dict[str, Handler[ReferenceChanges]] = {"ProcessPublished": _published}

    def changes(self) -> ReferenceChanges:
        return {}

    def write(self, connection: Connection[Any], changes: ReferenceChanges) -> None:
        REFERENCES.write(connection, changes)
