"""The part of a schedule's ledger that a command needs, read from the log without the rest of a long stream."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import msgspec

from domain.identity import occurrence_id
from domain.refusal import Forbidden
from domain.schedules.due import MOST_STARTED
from domain.schedules.events import OccurrenceEvent, ScheduleOccurrenceBackfilled, ScheduleOccurrenceSkipped
from domain.schedules.ledger import Occurrence, occurrence
from domain.schedules.rules import terms_of
from domain.schedules.schedule import Schedule
from store.carried import last_carried, page_before
from store.log import Log

PAGE = 500
MOST_PAGES = 40
MOST_IN_RANGE = 20_000
"""A range of so many instants is too large to be backfilled, whatever became of them."""
_EVER = datetime.min.replace(tzinfo=UTC)


class ScheduleLedger:
    """The instants of one schedule. Their outcomes stand in the stream in the order of the instants."""

    def __init__(self, log: Log, id: UUID) -> None:
        self._log = log
        self._id = id

    def between(self, schedule: Schedule, begin: datetime, end: datetime) -> list[Occurrence]:
        """Return the instants from `begin` until `end`, each with its last outcome; ``backfilled`` if it has run since.

        schedule: its state now. Raises Forbidden ``backfill_too_large``.
        """
        found: dict[datetime, Occurrence] = {}
        for event in self._outcomes(begin, end):
            found[event.scheduled_at] = occurrence(event)
            if len(found) > MOST_IN_RANGE:
                message = f"the range holds more than {MOST_IN_RANGE:,} instants"
                raise Forbidden(message, code="backfill_too_large", count=len(found))
        begun = self.begun(found)
        return [_settled(found[at], schedule, begun=at in begun) for at in sorted(found)]

    def skipped_by_pause(self, schedule: Schedule, now: datetime) -> list[Occurrence]:
        """Return what the end of the pause may start: of the instants that it skipped the first ones, and the newest.

        As many as catching up may start, and within its window. None of them has run since.
        """
        if schedule.in_force is None:
            return []
        terms = terms_of(schedule.in_force)
        begin = max(now - terms.catch_up_window, schedule.paused_after or _EVER)
        newest = self._newest(begin)
        if newest is None or terms.catch_up != "all" or terms.overlap != "allow":
            return [] if newest is None else [newest]
        return [*self._first(begin, newest.scheduled_at), newest]

    def begun(self, instants: Iterable[datetime]) -> set[datetime]:
        """Return the instants for which an execution was started."""
        executions = {occurrence_id(self._id, at): at for at in instants}
        return {executions[id] for id in self._log.existing(executions)}

    def _outcomes(self, begin: datetime, end: datetime) -> Iterator[OccurrenceEvent]:
        """Yield what became of the instants from `begin` until `end`, as they were accounted for."""
        with self._log.datastore.reading() as connection:
            after = last_carried(connection, self._id, begin)
        while page := self._log.stream_page(self._id, after=after, limit=PAGE):
            for each in page:
                event = each.event
                if isinstance(event, OccurrenceEvent) and not isinstance(event, ScheduleOccurrenceBackfilled):
                    if event.scheduled_at >= end:
                        return
                    if event.scheduled_at >= begin:
                        yield event
            after = page[-1].version

    def _first(self, begin: datetime, end: datetime) -> list[Occurrence]:
        """Return the first instants between `begin` and `end` that a pause has skipped and that have not run since."""
        skipped = (occurrence(event) for event in self._outcomes(begin, end) if _by_pause(event, begin))
        found: list[Occurrence] = []
        for _ in range(MOST_PAGES):
            some = list(islice(skipped, PAGE))
            found += self._not_begun(some)
            if len(some) < PAGE or len(found) >= MOST_STARTED:
                break
        return found[:MOST_STARTED]

    def _newest(self, begin: datetime) -> Occurrence | None:
        """Return the newest instant after `begin` that a pause has skipped and that has not run since."""
        before = 2**62
        for _ in range(MOST_PAGES):
            with self._log.datastore.reading() as connection:
                page = page_before(connection, self._id, before, PAGE)
            outcomes = [event for _, event in page if isinstance(event, OccurrenceEvent)]
            skipped = [occurrence(event) for event in outcomes if _by_pause(event, begin)]
            if open := self._not_begun(skipped):
                return max(open, key=lambda each: each.scheduled_at)
            settled = [each for each in outcomes if not isinstance(each, ScheduleOccurrenceBackfilled)]
            if not page or (settled and settled[-1].scheduled_at <= begin):
                return None
            before = page[-1][0]
        return None

    def _not_begun(self, found: list[Occurrence]) -> list[Occurrence]:
        begun = self.begun(each.scheduled_at for each in found)
        return [each for each in found if each.scheduled_at not in begun]


def _by_pause(event: OccurrenceEvent, begin: datetime) -> bool:
    return isinstance(event, ScheduleOccurrenceSkipped) and event.reason == "paused" and event.scheduled_at > begin


def _settled(found: Occurrence, schedule: Schedule, *, begun: bool) -> Occurrence:
    """Return the instant as it is now: what became of it may stand far behind the range."""
    if begun and found.outcome != "started":
        return msgspec.structs.replace(found, outcome="backfilled")
    if found.outcome == "waiting" and schedule.waiting != found.scheduled_at:
        return msgspec.structs.replace(found, outcome="skipped")
    return found
