"""The roles of agents in processes: recorded with each draft and publication, and once after an upgrade."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from commands.deciding import Together, persist
from commands.publishers import publishers
from commands.receipt import Receipt
from domain.event import Cause, Event
from domain.identity import process_id, roles_id
from domain.language import parse_definition
from domain.processes.events import ProcessDrafted, ProcessPublished, ProcessRevised
from domain.processes.process import Process, evolve
from domain.processes.process import fold as fold_process
from domain.roles.decisions import DRAFT, PUBLISHED, AgentRoles, RolesOf, change_roles
from domain.roles.effective import effective_roles
from domain.roles.roles import fold, published_revision
from store.log import Log
from store.unit import StreamChange, Unit


class RoleTakenAway(msgspec.Struct, frozen=True):
    """A role that a change gave on the version before, and that the text of this one does not state."""

    step: str
    agent: str
    role: str


class RolesChanged(msgspec.Struct, frozen=True):
    """The changes of roles by a text. taken_away: roles that a change had given and that a publication revokes."""

    together: Together = Together()
    taken_away: Sequence[RoleTakenAway] = ()


def roles_of_change(
    log: Log, before: Process | None, new: list[Event], cause: Cause, reason: str = "drafted"
) -> RolesChanged:
    """Return the changes of roles by a text that `new` drafts or publishes: an event for each difference.

    reason: why the roles of a draft change.
    """
    after = before
    for event in new:
        after = evolve(after, event)
    if after is None or not new or not isinstance(new[0], ProcessDrafted | ProcessRevised | ProcessPublished):
        return RolesChanged()
    stream = roles_id(process_id(after.name))
    events = log.stream(stream)
    if not isinstance(new[0], ProcessPublished):
        return RolesChanged(_together(stream, events, draft_roles(events, after, reason, cause)))
    changed = published_roles(events, after, "published", cause)
    return RolesChanged(_together(stream, events, changed), _taken_away(events, before, after))


def draft_roles(events: Sequence[Event], process: Process, reason: str, cause: Cause) -> list[Event]:
    """Return the differences between the roles recorded of drafts and those of the present one."""
    of = RolesOf(process_id(process.name), process.name, DRAFT)
    return change_roles(of, fold(events, DRAFT), roles_in(process.draft_source), reason, cause)


def published_roles(events: Sequence[Event], process: Process, reason: str, cause: Cause) -> list[Event]:
    """Return the differences between the roles recorded of the published version and those of its text."""
    of = RolesOf(process_id(process.name), process.name, PUBLISHED, process.latest)
    text = process.versions[process.latest].source
    return change_roles(of, fold(events, PUBLISHED), roles_in(text), reason, cause)


def roles_in(source: str | None) -> AgentRoles:
    """Return the effective roles of a text."""
    return {} if source is None else effective_roles(parse_definition(source).root).roles


def register_upgraded_roles(log: Log, cause: Cause) -> int:
    """Record the roles of published processes of which none was ever recorded; return how many.

    Repeated, it records nothing; several processes may do it. Raises Unavailable.
    """
    unrecorded = [process for process in publishers(log, "steps") if not _recorded(log, process)]
    return sum(_register(log, process, cause) for process in unrecorded)


def _register(log: Log, id: UUID, cause: Cause) -> int:
    registered = 0

    def attempt() -> Receipt:
        nonlocal registered
        stream = roles_id(id)
        recorded, events = log.stream(stream), log.stream(id)
        process = fold_process(events)
        new: list[Event] = []
        if process is not None and process.latest and not published_revision(recorded):
            new = published_roles(recorded, process, "upgraded", cause)
            if process.draft_source is not None:
                new += draft_roles(recorded, process, "upgraded", cause)
        registered = len(new)
        if not new:
            return Receipt(id, 0, duplicate=True)
        return Receipt(id, log.append(Unit(stream, len(recorded), new, guards=((id, len(events)),))))

    persist(log, attempt, id)
    return registered


def _recorded(log: Log, process: UUID) -> bool:
    with log.datastore.reading() as connection:
        return connection.execute(_RECORDED, (roles_id(process),)).fetchone() is not None


_RECORDED = """
select 1 from stored_events
where originator_id = %s and position('"of":"published"'::bytea in state) > 0 limit 1"""


def _together(stream: UUID, events: Sequence[Event], new: list[Event]) -> Together:
    return Together(before=(StreamChange(stream, len(events), new),)) if new else Together()


def _taken_away(events: Sequence[Event], before: Process | None, after: Process) -> list[RoleTakenAway]:
    if before is None or not before.latest:
        return []
    texts = (before.versions[before.latest].source, after.versions[after.latest].source)
    given = fold(events, PUBLISHED).items() - {role for text in texts for role in roles_in(text).items()}
    return [RoleTakenAway(step, agent, role) for (step, agent), role in sorted(given)]
