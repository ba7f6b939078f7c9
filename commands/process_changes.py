"""A change of a process, and those of other streams that follow from it: schedules, cost thresholds and roles."""

from collections.abc import Callable
from functools import reduce
from uuid import UUID

from commands.deciding import Identified, Together, decide
from commands.receipt import Receipt
from commands.registrations import register_schedules
from commands.roles import roles_of_change
from commands.thresholds import thresholds_of_change
from domain.event import Cause, Event
from domain.processes.events import ProcessArchived, ProcessPublished, ProcessRestored
from domain.processes.process import Process, evolve, fold
from domain.refusal import ProcessNotFound, Stale
from store.log import Log

# Why a change of the process removes a schedule; after another change its schedules and thresholds stay.
_REMOVED = {
    ProcessPublished: "the published version has no such schedule",
    ProcessArchived: "the process is archived",
    ProcessRestored: "the version in use has no such schedule",
}


def beside_process(log: Log, before: Process | None, new: list[Event], cause: Cause) -> Together:
    """Return the changes that are recorded with the events `new` of a process, or not at all."""
    if not new:
        return Together()
    roles = roles_of_change(log, before, new, cause).together
    reason = _REMOVED.get(type(new[0]))
    if reason is None:
        return roles
    after = reduce(evolve, new, before)
    schedules = register_schedules(log, after, cause, reason=reason)
    return schedules + thresholds_of_change(log, before, new, cause).together + roles


def change_process(
    log: Log,
    id: UUID,
    revision: int | None,
    decision: Callable[[Process], list[Event]],
    facts: Callable[[Process, list[Event]], dict[str, object]],
    identified: Identified,
    together: Callable[[Process, list[Event]], Together] = lambda _process, _new: Together(),
) -> Receipt:
    """Carry out `decision` on a process, and what follows from it; facts hold `process_id`.

    revision: that it must be at. Raises ProcessNotFound or Stale.
    """
    before: Process | None = None

    def decided(process: Process | None) -> list[Event]:
        nonlocal before
        before = present(process)
        return decision(before)

    def beside(new: list[Event]) -> Together:
        assert before is not None
        return together(before, new)

    def present(process: Process | None) -> Process:
        if process is None:
            raise ProcessNotFound(f"there is no process {id}")
        if revision is not None and revision != process.revision:
            raise Stale(f"the process is at revision {process.revision}, not {revision}", version=process.revision)
        return process

    return decide(
        log,
        id,
        fold,
        decided,
        facts=lambda process, new: {"process_id": str(id), **facts(present(process), new)},
        identified=identified,
        together=beside,
    )
