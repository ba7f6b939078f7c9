"""The cost thresholds that versions of processes state: in force from a publication on, and once after an upgrade."""

from datetime import datetime
from uuid import UUID

import msgspec

from commands.deciding import Together, persist
from commands.publishers import publishers
from commands.receipt import Receipt
from domain.alerts.events import CostThresholdCleared, CostThresholdSet
from domain.alerts.setting import set_thresholds
from domain.alerts.thresholds import COMMAND, VERSION, ThresholdTerms, fold, terms_of_definition
from domain.event import Cause, Event
from domain.identity import process_id, thresholds_id
from domain.processes.events import ProcessArchived, ProcessPublished, ProcessRestored
from domain.processes.process import Process, evolve
from domain.processes.process import fold as fold_process
from store.log import Log
from store.unit import StreamChange, Unit

# Why a change of the process clears a threshold.
_CLEARED = {ProcessPublished: "published", ProcessArchived: "archived", ProcessRestored: "restored"}


class ThresholdsChanged(msgspec.Struct, frozen=True):
    """The changes of thresholds. replaced: whether they take the place of some that a command had set."""

    together: Together = Together()
    replaced: bool = False


def thresholds_of_change(log: Log, before: Process | None, new: list[Event], cause: Cause) -> ThresholdsChanged:
    """Return the changes of the cost thresholds of a process that `new` happens to.

    A version whose `costs` are those of the version before it leaves them as they are.
    """
    after = before
    for event in new:
        after = evolve(after, event)
    if not new or after is None:
        return ThresholdsChanged()
    terms = _terms_of(after)
    if isinstance(new[0], ProcessPublished) and before is not None and terms == _terms_of(before):
        return ThresholdsChanged()
    return _changed(log, after, terms, cause, reason=_CLEARED[type(new[0])])


def register_upgraded_thresholds(log: Log, cause: Cause) -> int:
    """Put the thresholds of versions in use in force where none was ever set, for the future only; return how many.

    Costs before now count for nothing. Repeated, it records nothing; several processes may do it. Raises Unavailable.
    """
    return sum(_register(log, process, cause) for process in publishers(log, "costs"))


def _register(log: Log, id: UUID, cause: Cause) -> int:
    registered = 0

    def attempt() -> Receipt:
        nonlocal registered
        registered = 0
        events = log.stream(id)
        process = fold_process(events)
        if process is None or log.stream(thresholds_id(id)):
            return Receipt(id, 0, duplicate=True)
        found = _changed(log, process, _terms_of(process), cause, reason="archived", counts_from=cause.at)
        for change in found.together.before:
            registered = len(change.events)
            unit = Unit(change.stream, change.version, change.events, guards=((id, len(events)),))
            return Receipt(id, log.append(unit))
        return Receipt(id, 0, duplicate=True)

    persist(log, attempt, id)
    return registered


def _changed(
    log: Log, process: Process, terms: ThresholdTerms, cause: Cause, *, reason: str, counts_from: datetime | None = None
) -> ThresholdsChanged:
    id = process_id(process.name)
    stream = thresholds_id(id)
    events = log.stream(stream)
    thresholds = fold(events)
    new = set_thresholds(
        thresholds,
        id,
        process.name,
        terms,
        cause,
        source=VERSION,
        version=process.latest,
        reason=reason,
        counts_from=counts_from,
    )
    kinds = {event.kind for event in new if isinstance(event, CostThresholdSet | CostThresholdCleared)}
    replaced = any(rule.source == COMMAND for kind, rule in thresholds.rules.items() if kind in kinds)
    return ThresholdsChanged(Together(before=(StreamChange(stream, len(events), new),) if new else ()), replaced)


def _terms_of(process: Process) -> ThresholdTerms:
    if process.status != "published" or not process.latest:
        return ThresholdTerms()
    return terms_of_definition(process.versions[process.latest].definition)
