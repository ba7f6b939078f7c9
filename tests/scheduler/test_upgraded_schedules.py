"""Schedules of versions that a release before published: registered once, for the future; orphans are removed."""

import pytest

from commands.upgraded_schedules import HELD, UpgradedSchedules, register_upgraded
from domain.event import Cause, record
from domain.identity import process_id, schedule_id
from domain.processes.events import ProcessArchived, ProcessDrafted, ProcessPublished
from domain.schedules.schedule import fold
from store.unit import Unit

NAME = "older"
ID = schedule_id(process_id(NAME), "tick")


@pytest.fixture
def publish(installation):
    """Record a publication as a release did that registered no schedules."""

    def published(*triggers):
        cause = Cause(installation.clock.now(), "user:ann")
        steps = [{"id": "a", "type": "timer", "duration": "1s"}]
        definition = {"name": NAME, "steps": steps, "triggers": list(triggers)}
        drafted = record(ProcessDrafted, cause, name=NAME, source="")
        version = record(ProcessPublished, cause, name=NAME, version=1, source="", definition=definition)
        installation.log.append(Unit(process_id(NAME), 0, [drafted, version]))

    return published


def upgrade(installation, **options):
    return register_upgraded(installation.log, Cause(installation.clock.now(), "system:upgrade"), **options)


def test_what_was_published_before_is_registered_once_for_the_future(installation, publish):
    publish(
        {"type": "schedule", "id": "tick", "cron": "0 9 * * *"},
        {"type": "schedule", "id": "off", "cron": "0 9 * * *", "enabled": False},
    )

    assert upgrade(installation) == UpgradedSchedules(registered=1)
    (registered,) = installation.log.stream(ID)
    assert registered.actor == "system:upgrade"
    assert registered.next_at > registered.at
    assert upgrade(installation) == UpgradedSchedules()


def test_they_can_be_held_until_somebody_resumes_them(installation, publish):
    publish({"type": "schedule", "id": "tick", "cron": "0 9 * * *"})

    assert upgrade(installation, hold=True) == UpgradedSchedules(registered=1, paused=1)
    schedule = fold(None, installation.log.stream(ID))
    assert (schedule.status, schedule.reason) == ("paused", HELD)
    assert upgrade(installation) == UpgradedSchedules()


def test_a_rule_that_is_refused_now_is_registered_paused_with_the_refusal(installation, publish):
    publish({"type": "schedule", "id": "tick", "cron": "0 9 * * *", "timezone": "Nowhere/Land"})

    assert upgrade(installation) == UpgradedSchedules(registered=1, paused=1)
    schedule = fold(None, installation.log.stream(ID))
    assert schedule.status == "paused"
    assert "Nowhere/Land" in schedule.reason
    assert schedule.next_at is None


def test_the_schedule_of_a_process_that_a_release_before_archived_is_removed(installation, publish):
    publish({"type": "schedule", "id": "tick", "cron": "0 9 * * *"})
    upgrade(installation)
    archived = record(ProcessArchived, Cause(installation.clock.now(), "user:ann"), name=NAME, reason="old")
    installation.log.append(Unit(process_id(NAME), 2, [archived]))

    assert upgrade(installation) == UpgradedSchedules(removed=1)
    assert fold(None, installation.log.stream(ID)).status == "removed"
