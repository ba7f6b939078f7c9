"""The ends of executions that schedules started, noted in the streams of these schedules."""

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from commands.states import Versioned
from domain.event import Event
from domain.executions.events.execution import ExecutionEnded
from domain.executions.events.outcomes import EXECUTION_STATUS
from domain.schedules.due import end_run
from domain.schedules.rules import terms_of
from domain.schedules.schedule import Schedule, fold
from scheduler.duty import Desk
from store.lists.outbox import Message
from store.unit import MessageKey, Outage, StoreError, Unit, UnitRefused

logger = logging.getLogger(__name__)

ROUNDS = 20
# Messages to a schedule about which no decision succeeds wait so long before a worker tries again.
TRY_AGAIN = timedelta(minutes=1)


def reports_to_schedule(message: Message) -> bool:
    """Return whether the message reports the end of an execution to a schedule."""
    event = message.event
    return isinstance(event, ExecutionEnded) and event.reports_to is None and event.schedule_id == message.recipient


def end_runs(desk: Desk, messages: Sequence[Message]) -> None:
    """Note each end in its schedule, in one append a schedule; drop messages that a schedule does not wait for.

    Messages to a schedule about which no decision succeeds, or that meets a conflict every time, wait a while, so that
    it does not stop the others.
    """
    open: list[Message] = list(messages)
    met: dict[UUID, StoreError] = {}
    for tried in range(ROUNDS):
        units, states, needless, broken = _decide(desk, open, fresh=tried > 0)
        for id, error in broken.items():
            _put_off(desk, id, [message.key for message in open if message.recipient == id], error)
        open = [message for message in open if message.recipient not in broken]
        if needless and tried > 0:
            # Only a state just read from the log shows that nothing waits.
            desk.lists.drop_messages([message.key for message in needless])
        outcomes = desk.appending.units(units)
        holds = desk.schedules.holds(desk.schedules.epoch)
        done = {message.key for message in needless} if tried > 0 else set()
        for unit, state, outcome in zip(units, states, outcomes, strict=True):
            if isinstance(outcome, UnitRefused):
                _put_off(desk, unit.stream, unit.handled, outcome)
                done.update(unit.handled)
            elif isinstance(outcome, StoreError):
                desk.schedules.forget(unit.stream)
                met[unit.stream] = outcome
            elif not holds:
                desk.schedules.forget(unit.stream)
            else:
                desk.schedules.keep_grown(unit.stream, state, unit.size)
                done.update(unit.handled)
        alone = desk.schedules.left_alone
        open = [message for message in open if message.key not in done and message.recipient not in alone]
        if not open:
            return
    for id in dict.fromkeys(message.recipient for message in open):
        if id in met:
            _put_off(desk, id, [message.key for message in open if message.recipient == id], met[id])


def _put_off(desk: Desk, schedule: UUID, keys: Collection[MessageKey], error: Exception) -> None:
    """Let the messages to a schedule wait for another try."""
    logger.error("no end of a run is noted in schedule %s, it is tried again later", schedule, exc_info=error)
    desk.schedules.forget(schedule)
    desk.lists.postpone_messages(keys, desk.clock.now() + TRY_AGAIN)


def _decide(
    desk: Desk, messages: Sequence[Message], *, fresh: bool
) -> tuple[list[Unit], list[Versioned[Schedule | None]], list[Message], dict[UUID, Exception]]:
    """Return the units to record, the states that follow, the messages that no schedule waits for, and the errors.

    The errors are those of schedules that cannot be read, or about which a decision breaks.
    """
    by_schedule: dict[UUID, list[Message]] = {}
    for message in messages:
        by_schedule.setdefault(message.recipient, []).append(message)
    loaded = desk.schedules.load(by_schedule, fresh=fresh)
    units: list[Unit] = []
    states: list[Versioned[Schedule | None]] = []
    needless: list[Message] = []
    broken = {id: error for id, error in desk.schedules.unreadable.items() if id in by_schedule}
    for id, reports in by_schedule.items():
        before = loaded.get(id)
        if id in broken:
            continue
        if before is None:
            needless += reports if id not in desk.schedules.left_alone else []
            continue
        try:
            noted = _note(desk, before, reports)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged when the messages are put off
            broken[id] = error
            continue
        needless += noted.needless
        if noted.events:
            unit = Unit(id, before.version, noted.events, handled=noted.handled, epoch=desk.schedules.epoch)
            units.append(unit)
            states.append(Versioned(before.version + len(noted.events), noted.after))
    return units, states, needless, broken


class _Noted(NamedTuple):
    """The ends of runs noted in one schedule: events, the state after them, the messages with and without effect."""

    events: list[Event]
    after: Schedule | None
    handled: list[MessageKey]
    needless: list[Message]


def _note(desk: Desk, before: Versioned[Schedule | None], reports: Sequence[Message]) -> _Noted:
    schedule = before.state
    events: list[Event] = []
    handled: list[MessageKey] = []
    needless: list[Message] = []
    for message in reports:
        cause = desk.cause(f"message:{message.source}:{message.version}")
        outcome = EXECUTION_STATUS[type(message.event)]
        new = [] if schedule is None else end_run(schedule, message.source, outcome, cause, terms_of)
        if not new:
            needless.append(message)
            continue
        events += new
        handled.append(message.key)
        schedule = fold(schedule, new)
    return _Noted(events, schedule, handled, needless)
