"""The changes of other streams that follow from one of a process: schedules, cost thresholds and roles."""

from functools import reduce

from commands.deciding import Together
from commands.registrations import register_schedules
from commands.roles import roles_of_change
from commands.thresholds import thresholds_of_change
from domain.event import Cause, Event
from domain.processes.events import ProcessArchived, ProcessPublished, ProcessRestored
from domain.processes.process import Process, evolve
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
