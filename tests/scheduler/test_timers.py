"""Timers on a real database: never early, once, and after a restart at once."""

from datetime import UTC, datetime

WAIT = """
name: wait
steps:
  - {id: pause, type: timer, duration: "{{ input.for }}"}
  - {id: after, agent: echo, message: done, depends_on: pause}
outputs: {said: "{{ steps.after.output }}"}
"""
SLOW = """
name: slow
steps:
  - {id: a, agent: sleepy, message: hello, timeout: 200ms, on_timeout: skip}
  - {id: b, agent: echo, message: "{{ steps.a.status }}", depends_on: a}
outputs: {said: "{{ steps.b.output }}"}
"""
RETRIED = """
name: retried
steps:
  - id: a
    agent: flaky
    message: hello
    retry: {max_attempts: 3, delay: 50ms}
outputs: {said: "{{ steps.a.output }}"}
"""


def fired(installation, id):
    return [event for event in installation.log.stream(id) if type(event).__name__ == "TimerFired"]


def timers(installation):
    with installation.datastore.reading() as connection:
        return connection.execute("select count(*) as n from due_timers").fetchone()["n"]


def test_a_timer_fires_once_when_it_is_due_and_not_before(installation):
    installation.agent("echo", script="echo")
    installation.publish(WAIT)
    installation.worker()
    id = installation.start("wait", **{"for": "300ms"})
    (execution,) = installation.ended(id)
    (event,) = fired(installation, id)
    assert event.at >= event.due_at
    assert (event.at - execution.started_at).total_seconds() >= 0.3
    assert timers(installation) == 0


def test_a_timer_that_became_due_while_nobody_worked_fires_at_once_and_says_how_late(installation):
    installation.agent("echo", script="echo")
    installation.publish(WAIT)
    id = installation.start("wait", **{"for": "10ms"})
    installation.until(lambda: datetime.now(UTC) > installation.state(id).timers["pause", "timer"])
    installation.worker()
    installation.ended(id)
    (event,) = fired(installation, id)
    assert event.lateness == event.at - event.due_at


def test_many_timers_due_at_once_fire_once_each_with_several_workers(installation):
    installation.agent("echo", script="echo")
    installation.publish(WAIT)
    for _ in range(3):
        installation.worker()
    ids = [installation.start("wait", **{"for": "700ms"}) for _ in range(60)]
    installation.ended(*ids)
    assert [len(fired(installation, id)) for id in ids] == [1] * 60


def test_a_step_that_takes_too_long_is_timed_out_and_its_call_ended(installation):
    installation.agent("sleepy", script="slow", delay="60s")
    installation.agent("echo", script="echo")
    installation.publish(SLOW)
    worker = installation.worker()
    id = installation.start("slow")
    installation.ended(id)
    assert installation.log.stream(id)[-1].outputs == {"said": "skipped"}
    assert worker.open_calls == 0


def test_a_failed_attempt_is_tried_again_after_its_delay(installation):
    installation.agent("flaky", script="flaky", failures=2)
    installation.publish(RETRIED)
    installation.worker()
    id = installation.start("retried")
    (execution,) = installation.ended(id)
    assert execution.status == "completed"
    topics = installation.topics(id)
    assert (topics["StepFailed"], topics["StepRetryScheduled"], topics["StepCompleted"]) == (2, 2, 1)


def test_an_execution_that_is_cancelled_leaves_no_timer_behind(installation):
    installation.agent("echo", script="echo")
    installation.publish(WAIT)
    installation.worker()
    id = installation.start("wait", **{"for": "1h"})
    installation.until(lambda: timers(installation) == 1)
    installation.cancel(id)
    assert timers(installation) == 0
    assert installation.topics(id)["TimerCancelled"] == 1


def test_a_timer_that_the_log_does_not_know_is_dropped(installation):
    with installation.datastore.reading() as connection:
        connection.execute("insert into due_timers values (gen_random_uuid(), 'a', 'timer', now())")
    installation.worker()
    installation.until(lambda: timers(installation) == 0)
