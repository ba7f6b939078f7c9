"""Whatever is killed, and however long nobody works: each instant has one outcome, and each start one execution."""

import threading
from collections import Counter
from contextlib import closing
from itertools import product, takewhile

import pytest

from app.clock import SYSTEM_CLOCK
from domain.event import Cause
from domain.identity import process_id, schedule_id
from domain.schedules.decisions import register_schedule
from domain.schedules.events import ScheduleFired, ScheduleRunEnded
from domain.schedules.ledger import balance, occurrences
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from store.datastore import Datastore
from store.lists.due_schedules import DUE_SCHEDULES
from store.lists.outbox import OUTBOX
from store.log import Log
from store.unit import Unit
from tests.journeys.killing import begin, check_log, post, wait_for

PROCESS = """
name: ticking
steps: [{id: a, type: timer, duration: 300ms}]
"""
CATCH_UP, OVERLAP = ("latest", "all", "none"), ("skip", "buffer_one", "allow", "cancel_running")
POLICIES = [*product(CATCH_UP, OVERLAP), *product(CATCH_UP[:2], OVERLAP)]
WORKERS = ("worker-1", "worker-2", "worker-3")


def register_all(log):
    """Register twenty schedules, each second or every other; return their ids."""
    ids = []
    for n, (catch_up, overlap) in enumerate(POLICIES):
        rule = {
            "type": "schedule",
            "id": f"tick-{n}",
            "every": f"{1 + n % 2}s",
            "catch_up": catch_up,
            "overlap": overlap,
        }
        id, cause = schedule_id(process_id("ticking"), rule["id"]), Cause(SYSTEM_CLOCK.now(), "user:test")
        log.append(Unit(id, 0, register_schedule(None, process_id("ticking"), "ticking", 1, rule, {}, cause, terms_of)))
        ids.append(id)
    return ids


@pytest.mark.timeout(300)
def test_a_schedule_goes_on_when_workers_are_killed_and_the_message_of_an_end_is_lost(site):
    begin(site, [PROCESS.replace("300ms", "1h")])
    datastore = Datastore(site.server.conninfo, pool_size=2)
    with closing(datastore), closing(Log(datastore)) as log:
        rule = {"type": "schedule", "id": "tick", "every": "1s", "overlap": "skip"}
        id, cause = schedule_id(process_id("ticking"), "tick"), Cause(SYSTEM_CLOCK.now(), "user:test")
        log.append(Unit(id, 0, register_schedule(None, process_id("ticking"), "ticking", 1, rule, {}, cause, terms_of)))
        wait_for(lambda: fold(None, log.stream(id)).running)
        for name in WORKERS[:2]:
            site.kill(name)
        (run,) = fold(None, log.stream(id)).running
        post(site, f"/api/executions/{run}/cancel", {"reason": "over"}, "cancel")
        with datastore.reading() as connection:
            assert connection.execute("delete from outbox where recipient = %s", (id,)).rowcount == 1
        for name in WORKERS[:2]:
            site.restart(name)
        wait_for(lambda: fold(None, log.stream(id)).running not in ((), (run,)))
        for name in WORKERS[:2]:
            site.kill(name)

        events = log.stream(id)
        ended = [event for event in events if isinstance(event, ScheduleRunEnded)]
        assert [(event.execution_id, event.outcome) for event in ended] == [(run, "cancelled")]
        for kept in (DUE_SCHEDULES, OUTBOX):
            assert kept.verify(datastore, lambda _done, _all: None).differing == 0
    check_log(site)


@pytest.mark.timeout(600)
def test_each_instant_has_one_outcome_whatever_is_killed(site):
    begin(site, [PROCESS])
    site.launch("worker-3", "work", "--no-projector")
    pause = threading.Event()
    datastore = Datastore(site.server.conninfo, pool_size=2)
    with closing(datastore), closing(Log(datastore)) as log:
        ids = register_all(log)
        started = "select count(*) from stored_events where topic = 'ScheduleFired'"
        wait_for(lambda: site.rows(started)[0][0] >= 40)
        site.kill("worker-1")
        pause.wait(2)
        site.restart("worker-1")
        wait_for(lambda: site.rows(started)[0][0] >= 80)
        for name in WORKERS:
            site.kill(name)
        pause.wait(6)  # the downtime that the policies are about
        behind = site.rows(started)[0][0]
        for name in WORKERS:
            site.restart(name)
        wait_for(lambda: site.rows(started)[0][0] >= behind + 80)
        for name in WORKERS:
            site.kill(name)

        runs = 0
        for id, (catch_up, overlap) in zip(ids, POLICIES, strict=True):
            events = log.stream(id)
            schedule, found = fold(None, events), occurrences(events)
            registration = schedule.in_force
            instants = terms_of(registration).timetable.after(registration.since)
            expected = [each.at for each in takewhile(lambda each: each.at <= schedule.cursor, instants)]  # noqa: B023
            assert sorted(found) == expected
            counts = balance(found.values())
            waiting = int(schedule.waiting is not None)
            assert counts["expected"] == len(expected) - waiting == sum(counts.values()) - counts["expected"]
            fired = [event for event in events if isinstance(event, ScheduleFired)]
            assert len({event.scheduled_at for event in fired}) == len({event.execution_id for event in fired})
            assert len(fired) == counts["started"]
            late = sum(each.outcome == "coalesced" and each.reason == "catch_up" for each in found.values())
            if catch_up == "latest":
                assert late >= 1
            elif catch_up == "none":
                assert counts["missed"] >= 1
            elif overlap == "allow":
                assert counts["started"] == counts["expected"]
            runs += len(fired)
    topics = Counter(dict(site.rows("select topic, count(*) from stored_events group by topic")))
    assert topics["ExecutionStarted"] == topics["ScheduleFired"] == runs
    check_log(site)
