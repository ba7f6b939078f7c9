"""The time in which an agent watches over a step of a published process, or is informed of it: a row an interval."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.roles.decisions import PUBLISHED
from domain.roles.effective import INFORMED, MONITOR
from projections.facts import Fact
from projections.projection import clean
from projections.table import Table, fixed, key, replaced
from store import arrays

RoleFacts = list[Fact]
_TEAM = "team:"


class IntervalRow(msgspec.Struct, gc=False):
    """A role for events after `from_position` and before `until_position`; None: the agent still has it.

    step: empty for the monitors in the defaults of the process, teams included: cost alerts concern these.
    """

    process_id: Annotated[bytes, key("uuid")]
    step: Annotated[str, key("text")]
    agent: Annotated[str, key("text")]
    from_position: Annotated[int, key("bigint")]
    process: Annotated[str, fixed("text not null")]
    role: Annotated[str, fixed("text not null")]
    until_position: Annotated[int | None, replaced("bigint")] = None


INTERVALS = Table("inbox_roles", IntervalRow)
_OPEN = """select process_id, step, agent, from_position, process, role, until_position
from inbox_roles where process_id = any(%b) and until_position is null"""


class _NamedRoles(msgspec.Struct, gc=False, frozen=True):
    """None: not stated; an empty list takes nothing from the defaults."""

    monitors: list[str] | None = None
    informed: list[str] | None = None


class _RoledStep(msgspec.Struct, gc=False):
    id: str
    type: str = "agent_task"
    agent: str | None = None
    roles: _NamedRoles = _NamedRoles()
    steps: list["_RoledStep"] = []


class _Defaults(msgspec.Struct, gc=False):
    roles: _NamedRoles = _NamedRoles()


class _Roled(msgspec.Struct, gc=False):
    steps: list[_RoledStep] = []
    defaults: _Defaults | None = None


_decode = msgspec.json.Decoder(_Roled).decode


def write_intervals(connection: Connection[Any], facts: RoleFacts) -> None:
    """Write the intervals that role events and publications, in order, begin and end."""
    if facts:
        intervals = _Intervals(_read_open(connection, {_process_of(fact) for fact in facts}))
        for fact in facts:
            intervals.apply(fact)
        INTERVALS.write(connection, intervals.changed.values())


def _process_of(fact: Fact) -> bytes:
    if fact.topic == "ProcessPublished":
        return fact.stream
    process_id: UUID = fact.event.process_id
    return process_id.bytes


def _read_open(connection: Connection[Any], processes: set[bytes]) -> list[IntervalRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
        return [IntervalRow(*row) for row in cursor.execute(_OPEN, (arrays.uuid_bytes([*processes]),), prepare=True)]


class _Intervals:
    """The open intervals of some processes. changed: by key, what is to be written."""

    def __init__(self, rows: list[IntervalRow]) -> None:
        self._open: dict[bytes, dict[tuple[str, str], IntervalRow]] = {}
        self.changed: dict[tuple[bytes, str, str, int], IntervalRow] = {}
        for row in rows:
            self._open.setdefault(row.process_id, {})[row.step, row.agent] = row

    def apply(self, fact: Fact) -> None:
        """Begin and end the intervals that an event changes; one of a draft changes none."""
        event = fact.event
        if fact.topic == "ProcessPublished":
            after = dict(_roles(_decode(event.definition)))
            had = self._open.get(fact.stream, {})
            for step, agent in {**had, **after}:
                self._set(fact, event.name, step, agent, after.get((step, agent)))
        elif event.of == PUBLISHED:
            self._set(fact, event.process, clean(event.step), clean(event.agent), _role_after(fact))

    def _set(self, fact: Fact, process: str, step: str, agent: str, role: str | None) -> None:
        id = _process_of(fact)
        rows = self._open.setdefault(id, {})
        row = rows.get((step, agent))
        if role == (None if row is None else row.role) or (step and agent.startswith(_TEAM)):
            return
        if row is not None:
            row.until_position = fact.position
            self.changed[id, step, agent, row.from_position] = rows.pop((step, agent))
        if role is not None:
            row = IntervalRow(id, step, agent, fact.position, clean(process), role)
            self.changed[id, step, agent, fact.position] = rows[step, agent] = row


def _role_after(fact: Fact) -> str | None:
    role: str = fact.event.role
    return role if fact.topic == "RoleAssigned" and role in (MONITOR, INFORMED) else None


def _roles(definition: _Roled) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the monitors and the informed of each step, and those of the defaults where a step states none.

    An agent has one role in a step: as in `domain.roles.effective`, its own before one by default.
    """
    given = _NamedRoles() if definition.defaults is None else definition.defaults.roles
    for agent in given.monitors or ():
        yield ("", clean(agent)), MONITOR
    for id, step in _steps(definition.steps, ""):
        if step.type == "gateway":
            continue
        own, taken = step.roles, {step.agent}
        by_default = (
            (MONITOR, given.monitors if own.monitors is None else None),
            (INFORMED, given.informed if own.informed is None else None),
        )
        for role, agents in ((MONITOR, own.monitors), (INFORMED, own.informed), *by_default):
            for agent in agents or ():
                if agent not in taken:
                    taken.add(agent)
                    yield (clean(id), clean(agent)), role


def _steps(steps: list[_RoledStep], around: str) -> Iterator[tuple[str, _RoledStep]]:
    """Yield each step with the ids of those around it: `outer/inner`."""
    for step in steps:
        yield around + step.id, step
        yield from _steps(step.steps, f"{around}{step.id}/")
