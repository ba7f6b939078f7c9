"""Schedules on a real database: each instant once, in the append that starts its execution, and the ledger balances."""

from collections import Counter
from datetime import timedelta

import pytest

from commands.process_pauses import PauseProcess, ResumeProcess
from commands.processes import ArchiveProcess, PublishProcess, RestoreProcess, ReviseProcess
from commands.schedules import PauseSchedule, RunScheduleNow
from domain.event import Cause
from domain.identity import occurrence_id, process_id, schedule_id
from domain.refusal import Forbidden
from domain.schedules.decisions import register_schedule
from domain.schedules.due import account_for_due
from domain.schedules.events import ScheduleFired, ScheduleRegistered, ScheduleRemoved, ScheduleRunEnded
from domain.schedules.ledger import balance, occurrences
from domain.schedules.rules import terms_of
from domain.schedules.schedule import carry, fold
from store.carried import read_carried
from store.lists.due_schedules import DUE_SCHEDULES
from store.lists.outbox import OUTBOX
from store.unit import Unit

HOURLY = """
name: hourly
steps: [{id: a, agent: echo, message: "{{ trigger.scheduled_at }}"}]
triggers: [{type: schedule, id: tick, cron: "0 * * * *"}]
outputs: {said: "{{ steps.a.output }}"}
"""
PLAIN = "name: plain\nsteps: [{id: a, agent: echo, message: '{{ trigger.scheduled_at }}'}]\n"
SLOW = "name: slow\nsteps: [{id: a, type: timer, duration: 90s}]\n"


def register(installation, process="plain", ago=0.0, trigger="tick", **rule):
    """Register a schedule of a published process some seconds ago, past the checks of the language."""
    id = schedule_id(process_id(process), trigger)
    cause = installation.cause
    cause = Cause(cause.at - timedelta(seconds=ago), cause.actor)
    document = {"type": "schedule", "id": trigger, **rule}
    new = register_schedule(None, process_id(process), process, 1, document, {}, cause, terms_of)
    installation.log.append(Unit(id, 0, new))
    return id


def ledger(installation, id):
    return list(occurrences(installation.log.stream(id)).values())


def started(installation, id):
    return [event for event in installation.log.stream(id) if isinstance(event, ScheduleFired)]


def verify(installation):
    assert OUTBOX.verify(installation.datastore, lambda _done, _all: None).differing == 0
    return DUE_SCHEDULES.verify(installation.datastore, lambda _done, _all: None)


def failing(installation):
    installation.agent("broken", script="fail")
    installation.publish("name: failing\nsteps: [{id: a, agent: broken, message: go}]\n")
    return register(installation, "failing", every="1s", pause_after=2, overlap="allow")


@pytest.fixture
def plain(installation):
    installation.agent("echo", script="echo")
    installation.publish(PLAIN)
    return installation


def test_an_instant_starts_an_execution_that_reads_it_and_reports_its_end(plain):
    plain.worker()
    id = register(plain, every="1s")
    plain.until(lambda: len(started(plain, id)) >= 2)
    first = started(plain, id)[0]

    assert first.execution_id == occurrence_id(id, first.scheduled_at)
    (execution,) = plain.ended(first.execution_id)
    assert execution.steps["a"].output == first.scheduled_at.isoformat()
    assert (execution.trigger.type, execution.trigger.id) == ("schedule", "tick")
    begun = plain.log.stream(first.execution_id)[0]
    assert begun.actor == f"schedule:{id}"
    ends = lambda: [e.execution_id for e in plain.log.stream(id) if isinstance(e, ScheduleRunEnded)]  # noqa: E731
    plain.until(lambda: first.execution_id in ends())
    assert verify(plain).differing == 0


@pytest.mark.parametrize(
    ("catch_up", "found"),
    [("latest", {"coalesced": 4, "started": 1}), ("all", {"started": 5}), ("none", {"missed": 5})],
)
def test_after_a_downtime_each_instant_has_the_outcome_of_the_rule(plain, catch_up, found):
    id = register(plain, ago=599, every="100s", catch_up=catch_up, overlap="allow")
    plain.worker()
    plain.until(lambda: len(ledger(plain, id)) >= 5)

    assert Counter(each.outcome for each in ledger(plain, id)) == found


def test_a_schedule_cancels_what_runs_and_starts_when_that_has_ended(installation):
    installation.publish(SLOW)
    id = register(installation, "slow", every="2s", overlap="cancel_running")
    installation.worker()
    installation.until(lambda: len(started(installation, id)) >= 2)

    first, second, *_ = started(installation, id)
    assert installation.state(first.execution_id).status == "cancelled"
    assert second.scheduled_at == first.scheduled_at + timedelta(seconds=2)
    assert {each.outcome for each in ledger(installation, id)} <= {"started", "waiting"}


def test_while_an_execution_runs_the_others_are_skipped(installation):
    installation.publish(SLOW)
    id = register(installation, "slow", every="1s", overlap="skip")
    installation.worker()
    installation.until(lambda: len(ledger(installation, id)) >= 3)

    assert [each.reason for each in ledger(installation, id)][:3] == ["", "overlap", "overlap"]


def test_a_schedule_pauses_itself_after_failures_in_a_row(installation):
    id = failing(installation)
    installation.worker()
    installation.until(lambda: fold(None, installation.log.stream(id)).status == "paused")

    schedule = fold(None, installation.log.stream(id))
    assert (schedule.reason, schedule.failures) == ("2 failures in a row", 2)
    assert verify(installation).differing == 0


def test_several_workers_start_each_instant_once(plain):
    ids = [register(plain, trigger=f"tick-{n}", every="1s", overlap="allow") for n in range(10)]
    for _ in range(3):
        plain.worker()
    plain.until(lambda: all(len(started(plain, id)) >= 3 for id in ids))

    for id in ids:
        instants = [event.scheduled_at for event in started(plain, id)]
        assert len(set(instants)) == len(instants)
        counts = balance(ledger(plain, id))
        assert counts["expected"] == sum(counts.values()) - counts["expected"]
    with plain.datastore.reading() as connection:
        row = connection.execute("select count(*) as n from stored_events where topic = 'ExecutionStarted'").fetchone()
    assert row["n"] >= 30
    assert verify(plain).differing == 0


def test_publishing_registers_replaces_and_removes_in_its_own_unit(installation):
    installation.agent("echo", script="echo")
    process = installation.publish(HOURLY)
    id = schedule_id(process, "tick")
    (registered,) = installation.log.stream(id)
    assert isinstance(registered, ScheduleRegistered)
    assert (registered.next_at.minute, registered.rule["cron"]) == (0, "0 * * * *")

    publish(installation, process, HOURLY.replace('"0 *', '"30 *'))
    assert fold(None, installation.log.stream(id)).version == 2
    assert fold(None, installation.log.stream(id)).next_at.minute == 30
    publish(installation, process, HOURLY.replace("cron:", "enabled: false, cron:"))
    assert isinstance(installation.log.stream(id)[-1], ScheduleRemoved)
    assert verify(installation).rows == 0

    publish(installation, process, HOURLY)
    installation.processes.archive(ArchiveProcess(process, "no more"), installation.cause)
    assert fold(None, installation.log.stream(id)).status == "removed"
    installation.processes.restore(RestoreProcess(process, "again"), installation.cause)
    after = fold(None, installation.log.stream(id))
    assert (after.status, after.version) == ("active", 4)
    assert after.next_at > installation.cause.at
    assert (verify(installation).rows, verify(installation).differing) == (1, 0)


def publish(installation, process, source):
    installation.processes.revise(ReviseProcess(process, source), installation.cause)
    installation.processes.publish(PublishProcess(process), installation.cause)


def test_a_worker_goes_on_from_the_state_that_a_stream_carries(plain):
    id = register(plain, ago=10, every="1s", catch_up="all", overlap="allow")
    events = account_for_due(fold(None, plain.log.stream(id)), plain.cause.at, plain.cause, terms_of)
    plain.log.append(Unit(id, 1, events))
    state = fold(None, plain.log.stream(id))
    version = 1 + len(events)
    plain.log.append(Unit(id, version, [carry(state, plain.cause)]))
    with plain.datastore.reading() as connection:
        (part,) = read_carried(connection, [id]).values()
    assert (part.before, len(part), fold(None, part)) == (version, 1, state)

    plain.worker()
    plain.until(lambda: len(started(plain, id)) >= len(events) + 2)
    whole = fold(None, plain.log.stream(id))
    with plain.datastore.reading() as connection:
        (part,) = read_carried(connection, [id]).values()
    assert fold(None, part).registrations == whole.registrations
    instants = [event.scheduled_at for event in started(plain, id)]
    assert instants == [instants[0] + timedelta(seconds=n) for n in range(len(instants))]


def test_a_lost_list_is_put_right_from_the_log(plain):
    id = register(plain, every="100s")
    with plain.datastore.reading() as connection:
        connection.execute("delete from due_schedules")
    assert verify(plain).differing == 1

    DUE_SCHEDULES.rebuild(plain.datastore, lambda _done, _all: None)
    assert verify(plain).differing == 0
    with plain.datastore.reading() as connection:
        assert connection.execute("select schedule_id from due_schedules").fetchone()["schedule_id"] == id


@pytest.mark.parametrize("mode", ["queue", "refuse"])
def test_while_its_process_is_paused_a_schedule_skips_its_instants(plain, mode):
    id = register(plain, every="1s", overlap="allow")
    plain.worker()
    plain.until(lambda: len(started(plain, id)) >= 1)
    pauses, process = plain.process_pauses, process_id("plain")
    pauses.pause(PauseProcess(process, "broken", mode), plain.cause)
    plain.until(lambda: [each.reason for each in ledger(plain, id)].count("process_paused") >= 2)
    before = len(started(plain, id))
    pauses.resume(ResumeProcess(process), plain.cause)
    plain.until(lambda: len(started(plain, id)) > before)

    found = ledger(plain, id)
    outcomes = [each.outcome for each in sorted(found, key=lambda each: each.scheduled_at)]
    first, last = outcomes.index("skipped"), len(outcomes) - outcomes[::-1].index("skipped")
    assert set(outcomes[:first]) == set(outcomes[last:]) == {"started"}
    assert set(outcomes[first:last]) == {"skipped"}
    assert plain.count("ExecutionQueued") == 0
    assert verify(plain).differing == 0


def test_more_runs_than_a_hundred_are_open_and_none_is_forgotten(installation):
    installation.publish(SLOW)
    id = register(installation, "slow", ago=120, every="1s", catch_up="all", overlap="allow")
    installation.worker()
    installation.until(lambda: len(started(installation, id)) >= 105)
    installation.schedules.pause(PauseSchedule(id), installation.cause)
    runs = [event.execution_id for event in started(installation, id)]
    assert list(fold(None, installation.log.stream(id)).running) == runs

    for run in runs:
        installation.cancel(run)
    installation.until(lambda: fold(None, installation.log.stream(id)).running == ())

    ended = [event.execution_id for event in installation.log.stream(id) if isinstance(event, ScheduleRunEnded)]
    assert sorted(ended) == sorted(runs)
    assert installation.left("outbox") == 0
    assert verify(installation).differing == 0


def test_run_now_waits_while_the_process_is_paused_or_is_refused(plain):
    id = register(plain, every="1h")
    pauses, process = plain.process_pauses, process_id("plain")
    pauses.pause(PauseProcess(process, "broken", "queue"), plain.cause)
    plain.schedules.run_now(RunScheduleNow(id), plain.cause)
    assert plain.count("ExecutionQueued") == 1

    pauses.pause(PauseProcess(process, "worse", "refuse"), plain.cause)
    with pytest.raises(Forbidden) as refusal:
        plain.schedules.run_now(RunScheduleNow(id), plain.cause)
    assert refusal.value.code == "process_paused"
    pauses.resume(ResumeProcess(process), plain.cause)
    plain.worker()
    plain.until(lambda: plain.count("ExecutionCompleted") == 1)
    assert verify(plain).differing == 0
