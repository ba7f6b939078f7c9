"""The ends of executions that schedules started, noted in the streams of these schedules."""

import logging
from collections.abc import Sequence
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
from store.unit import StoreError, Unit

logger = logging.getLogger(__name__)

ROUNDS = 20


def reports_to_schedule(message: Message) -> bool:
    """Return whether the message reports the end of an execution to a schedule."""
    event = message.event
    return isinstance(event, ExecutionEnded) and event.reports_to is None and event.schedule_id == message.recipient


def end_runs(desk: Desk, messages: Sequence[Message]) -> None:
    """Note each end in its schedule, in one append a schedule; drop messages that a schedule does not wait for.

    A message that meets a conflict every time stays on the list: a worker claims it again.
    """
    open: list[Message] = list(messages)
    for tried in range(ROUNDS):
        units, states, needless = _decide(desk, open, fresh=tried > 0)
        if needless and tried > 0:
            # Only a state just read from the log shows that nothing waits.
            desk.lists.drop_messages([message.key for message in needless])
        outcomes = desk.appending.units(units)
        holds = desk.schedules.holds(desk.schedules.epoch)
        done = {message.key for message in needless} if tried > 0 else set()
        for unit, state, outcome in zip(units, states, outcomes, strict=True):
            if isinstance(outcome, StoreError) or not holds:
                desk.schedules.forget(unit.stream)
            else:
                desk.schedules.keep_grown(unit.stream, state, unit.size)
                done.update(unit.handled)
        alone = desk.schedules.left_alone
        open = [message for message in open if message.key not in done and message.recipient not in alone]
        if not open:
            return
    logger.warning("the ends of %s executions of schedules are noted later", len(open))


def _decide(
    desk: Desk, messages: Sequence[Message], *, fresh: bool
) -> tuple[list[Unit], list[Versioned[Schedule | None]], list[Message]]:
    """Return the units to record, the states that follow, and the messages that no schedule waits for."""
    by_schedule: dict[UUID, list[Message]] = {}
    for message in messages:
        by_schedule.setdefault(message.recipient, []).append(message)
    loaded = desk.schedules.load(by_schedule, fresh=fresh)
    units: list[Unit] = []
    states: list[Versioned[Schedule | None]] = []
    needless: list[Message] = []
    for id, reports in by_schedule.items():
        before = loaded.get(id)
        if before is None:
            needless += reports if id not in desk.schedules.left_alone else []
            continue
        schedule = before.state
        events: list[Event] = []
        handled = []
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
        if events:
            units.append(Unit(id, before.version, events, handled=handled, epoch=desk.schedules.epoch))
            states.append(Versioned(before.version + len(events), schedule))
    return units, states, needless
