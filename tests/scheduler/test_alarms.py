"""Alarms on real threads: each rings, and stopping them while they ring breaks nothing."""

import threading
from datetime import UTC, datetime, timedelta

from scheduler.gateway import SchedulerGateway


def test_an_alarm_rings_once_its_instant_has_come():
    rung = threading.Event()
    alarms = SchedulerGateway()
    alarms.start()
    due = datetime.now(UTC) + timedelta(milliseconds=20)
    alarms.ring_at("one", due, rung.set)
    assert rung.wait(60)
    assert datetime.now(UTC) >= due
    alarms.stop()


def test_alarms_stop_while_they_ring():
    for _ in range(20):
        alarms = SchedulerGateway()
        for n in range(100):
            alarms.ring_at(str(n), datetime.now(UTC), lambda: None)
        # An error in the thread of the alarms fails this test.
        alarms.start()
        alarms.stop()
