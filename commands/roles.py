"""The roles of agents in processes: recorded with each draft and publication, and once after an upgrade."""

from uuid import UUID

from commands.deciding import Together, persist
from commands.publishers import publishers
from commands.receipt import Receipt
from domain.event import Cause, Event
from domain.identity import process_id, roles_id
from domain.language import parse_definition
from domain.processes.events import ProcessDrafted, ProcessPublished, ProcessRevised
from domain.processes.process import Process, evolve
from domain.processes.process import fold as fold_process
from domain.roles.decisions import DRAFT, PUBLISHED, RolesOf, change_roles
from domain.roles.effective import effective_roles
from domain.roles.roles import fold
from store.log import Log
from store.unit import StreamChange, Unit

# Why the roles of a process change with its text.
_REASONS = {ProcessDrafted: "drafted", ProcessRevised: "drafted", ProcessPublished: "published"}


def roles_of_change(log: Log, before: Process | None, new: list[Event], cause: Cause) -> Together:
    """Return the changes of roles by a text that `new` drafts or publishes: an event for each difference."""
    after = before
    for event in new:
        after = evolve(after, event)
    if after is None or not new or type(new[0]) not in _REASONS:
        return Together()
    change = _change(log, after, _REASONS[type(new[0])], cause)
    return Together() if change is None else Together(before=(change,))


def register_upgraded_roles(log: Log, cause: Cause) -> int:
    """Record the roles of processes of which none was ever recorded; return how many.

    Repeated, it records nothing; several processes may do it. Raises Unavailable.
    """
    return sum(_register(log, process, cause) for process in publishers(log, "steps"))


def _register(log: Log, id: UUID, cause: Cause) -> int:
    registered = 0

    def attempt() -> Receipt:
        nonlocal registered
        registered = 0
        if log.existing([roles_id(id)]):
            return Receipt(id, 0, duplicate=True)
        events = log.stream(id)
        process = fold_process(events)
        change = None if process is None else _change(log, process, "upgraded", cause)
        if change is None:
            return Receipt(id, 0, duplicate=True)
        registered = len(change.events)
        return Receipt(id, log.append(Unit(change.stream, 0, change.events, guards=((id, len(events)),))))

    persist(attempt, id)
    return registered


def _change(log: Log, process: Process, reason: str, cause: Cause) -> StreamChange | None:
    """Return the difference between the roles recorded and those of the present text; None for none."""
    id = process_id(process.name)
    stream = roles_id(id)
    events = log.stream(stream)
    if process.draft_source is not None:
        source, of = process.draft_source, RolesOf(id, process.name, DRAFT)
    elif process.latest:
        source, of = process.versions[process.latest].source, RolesOf(id, process.name, PUBLISHED, process.latest)
    else:
        return None
    roles = effective_roles(parse_definition(source).root).roles
    new = change_roles(of, fold(events), roles, reason, cause)
    return StreamChange(stream, len(events), new) if new else None
