"""Executions that a newer release has written to: a worker leaves them alone, loses nothing, and logs each once."""

import logging
from uuid import UUID

import pytest

from tests.scheduler.conftest import Installation

SOURCES = (
    "{name: plain, steps: [{id: a, agent: echo, message: hello}]}",
    "{name: timed, steps: [{id: pause, type: timer, duration: 10ms}]}",
    "{name: calling, steps: [{id: below, type: sub_process, process: plain}]}",
    "{name: limited, max_running: 1, steps: [{id: a, agent: echo, message: hello}]}",
)
NAMES = ("plain", "timed", "calling", "limited")
AGAIN = (
    "update due_steps set due_at = now() where owner is null",
    "update due_timers set claimed_until = null",
    "update outbox set claimed_until = null",
)
LEFT = """select (select count(*) from due_steps where owner is null and due_at > now())
  + (select count(*) from due_timers where claimed_until > now())
  + (select count(*) from outbox where claimed_until > now()) as n"""


@pytest.fixture
def newer(installation: Installation) -> list[UUID]:
    """Executions for which an attempt, a timer, a message or a queue waits, each with an event of a newer release."""
    installation.agent("echo", script="echo")
    for source in SOURCES:
        installation.publish(source)
    ids = [installation.start(name) for name in NAMES]
    for id in ids:
        installation.rows(
            """insert into stored_events (originator_id, originator_version, topic, state)
            select originator_id, max(originator_version) + 1, 'StepTeleported', '{}' from stored_events
            where originator_id = %s group by 1""",
            id,
        )
    return ids


def left_alone(caplog: pytest.LogCaptureFixture) -> list[UUID]:
    """The executions that the log says are left alone, as often as it says so."""
    return sorted(record.args[1] for record in caplog.records if "is left alone" in record.msg)  # type: ignore[index, misc]


def test_a_worker_leaves_them_alone_and_logs_each_once(
    installation: Installation, newer: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    before = installation.left()
    worker = installation.worker()
    # The child that the message asks for can be started, but its parent is not read: nothing else than that moves.
    installation.until(lambda: installation.rows(LEFT)[0]["n"] >= 2, 60)
    for _ in range(2):
        for statement in AGAIN:
            installation.rows(statement)
        installation.until(lambda: installation.rows(LEFT)[0]["n"] >= 2, 60)
    (other,) = installation.ended(installation.start("plain"))
    assert other.status == "completed"
    assert worker.alive
    alone = left_alone(caplog)
    assert len(alone) == len(set(alone))
    assert {newer[0], newer[1], newer[3]} <= set(alone)
    assert installation.left() >= before - 1


def test_what_is_left_alone_goes_on_where_it_can_be_read(installation: Installation, newer: list[UUID]) -> None:
    installation.worker()
    installation.until(lambda: installation.rows(LEFT)[0]["n"] >= 2, 60)
    # As for a worker of the newer release, which knows the event.
    installation.rows("delete from stored_events where topic = 'StepTeleported'")
    for statement in AGAIN:
        installation.rows(statement)
    installation.until(lambda: all(installation.state(id).ended_at for id in newer), 60)
    assert {installation.state(id).status for id in newer} == {"completed"}
    installation.until(lambda: installation.left() == 0, 60)
