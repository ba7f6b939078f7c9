"""Publishing processes that call one another, on a real database: what is there, and that no cycle can come to be."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.wiring import Wiring
from commands.agents import RegisterAgent
from commands.processes import ArchiveProcess, DraftProcess, PublishProcess, ReviseProcess
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.identity import process_id
from domain.processes.events import ProcessPublished
from domain.refusal import Malformed, Problem
from store.datastore import Datastore

Errors = list[str]


class Desk(Wiring):
    """Drafts, revises and publishes on one log."""

    def draft(self, name: str, *calls: str) -> UUID:
        return self.processes.draft(DraftProcess(written(name, *calls)), cause()).stream

    def publish(self, name: str, *calls: str) -> int:
        """The next version of a process, which calls others; its number."""
        id = process_id(name)
        if self.log.stream(id):
            self.processes.revise(ReviseProcess(id, written(name, *calls)), cause())
        else:
            self.draft(name, *calls)
        version = self.processes.publish(PublishProcess(id), cause()).facts["version"]
        assert isinstance(version, int)
        return version

    def refused(self, name: str, *calls: str) -> list[Problem]:
        with pytest.raises(Malformed) as refusal:
            self.publish(name, *calls)
        return [problem for problem in refusal.value.problems if problem.severity == "error"]

    def published(self, name: str) -> list[ProcessPublished]:
        return [event for event in self.log.stream(process_id(name)) if isinstance(event, ProcessPublished)]


def cause() -> Cause:
    return Cause(datetime.now(UTC), "user:test")


def written(name: str, *calls: str) -> str:
    """A process that calls others: ``q``, or in a version ``q@2``; with a timer where it calls none."""
    steps = ["- {id: rest, type: timer, duration: 1s}"]
    for at, call in enumerate(calls):
        process, _, version = call.partition("@")
        steps.append(
            f"- {{id: s{at}, type: sub_process, process: {process}{f', version: {version}' if version else ''}}}"
        )
    return f"name: {name}\nsteps:\n" + "\n".join(steps) + "\n"


@pytest.fixture
def desk(datastore: Datastore) -> Iterator[Desk]:
    made = Desk(datastore, channels={"slack"})
    yield made
    made.log.close()


def test_a_process_is_published_once_what_it_calls_is(desk: Desk) -> None:
    (problem,) = desk.refused("press", "review")
    assert (problem.code, problem.path, problem.line) == ("unknown_process", "steps[1].process", 4)
    desk.draft("review")
    assert [p.code for p in desk.refused("press", "review")] == ["process_not_published"]
    desk.publish("review")
    assert desk.publish("press", "review") == 1
    assert [p.code for p in desk.refused("desk", "review@2")] == ["unknown_version"]


def test_a_draft_is_told_of_the_same_as_a_warning_and_kept(desk: Desk) -> None:
    receipt = desk.processes.draft(DraftProcess(written("press", "review")), cause())
    (problem,) = receipt.facts["problems"]  # type: ignore[attr-defined]
    assert (problem.code, problem.severity) == ("unknown_process", "warning")
    (problem,) = desk.processes.validate(written("press", "review"))
    assert (problem.code, problem.severity) == ("unknown_process", "error")


def test_an_archived_process_is_not_called(desk: Desk) -> None:
    desk.publish("review")
    desk.processes.archive(ArchiveProcess(process_id("review")), cause())
    assert [p.code for p in desk.refused("press", "review")] == ["process_archived"]


def test_cycles_are_refused_whoever_closes_them(desk: Desk) -> None:
    assert ["press → press" in p.message for p in desk.refused("press", "press")] == [True]
    desk.publish("press")
    desk.publish("desk", "press")
    desk.publish("review", "desk")
    (problem,) = desk.refused("press", "review")
    assert problem.code == "sub_process_cycle"
    assert "press → review → desk → press" in problem.message
    assert len(desk.published("press")) == 1


def test_an_old_version_that_is_called_by_number_counts_with_what_it_calls_now(desk: Desk) -> None:
    desk.publish("press")
    desk.publish("desk", "press")
    desk.publish("desk")
    assert desk.publish("press", "desk") == 2
    (problem,) = desk.refused("press", "desk@1")
    assert "press → desk@1 → press" in problem.message


def test_of_two_publications_that_close_a_cycle_together_exactly_one_succeeds(datastore: Datastore, desk: Desk) -> None:
    other = Desk(datastore, channels={"slack"})
    for round in range(10):
        left, right = f"left{round}", f"right{round}"
        for name in (left, right):
            desk.publish(name)
        outcomes = together(
            lambda left=left, right=right: desk.publish(left, right),
            # On the same log in every other round, where appends made at once share a transaction.
            lambda left=left, right=right, on=other if round % 2 else desk: on.publish(right, left),
        )
        assert sorted(map(str, outcomes)) == ["2", "['sub_process_cycle']"]
        assert len(desk.published(left)) + len(desk.published(right)) == 3
    other.log.close()


def test_of_three_publications_that_close_a_cycle_together_two_succeed(desk: Desk) -> None:
    for name in "abc":
        desk.publish(name)
    outcomes = together(*(lambda pair=pair: desk.publish(*pair) for pair in ("ab", "bc", "ca")))
    assert sorted(map(str, outcomes)) == ["2", "2", "['sub_process_cycle']"]


def test_a_process_is_not_published_over_one_that_is_archived_meanwhile(desk: Desk) -> None:
    for round in range(5):
        called = f"called{round}"
        desk.publish(called)
        outcomes = together(
            lambda called=called: desk.publish(f"caller-of-{called}", called),
            lambda called=called: desk.processes.archive(ArchiveProcess(process_id(called)), cause()).position,
        )
        published = desk.published(f"caller-of-{called}")
        assert outcomes[0] == (1 if published else ["process_archived"])


def test_what_is_not_set_up_is_a_warning_kept_with_the_version(desk: Desk) -> None:
    tell = "type: notification, message: x"
    source = (
        f"name: tell\nsteps:\n- {{id: a, {tell}, channel: slack}}\n- {{id: b, {tell}, channel: [slack, webhook]}}\n"
    )
    id = desk.processes.draft(DraftProcess(source), cause()).stream
    desk.processes.publish(PublishProcess(id), cause())
    (published,) = desk.published("tell")
    assert [(p.code, p.path) for p in published.warnings] == [("channel_not_configured", "steps[1].channel[1]")]


def test_who_undoes_a_step_has_to_be_there(desk: Desk) -> None:
    source = "name: p\nsteps:\n- {id: a, type: timer, duration: 1s, compensation: {agent: undoer, message: x}}\n"
    id = desk.processes.draft(DraftProcess(source), cause()).stream
    with pytest.raises(Malformed) as refusal:
        desk.processes.publish(PublishProcess(id), cause())
    assert [(p.code, p.path) for p in refusal.value.problems] == [("unknown_agent", "steps[0].compensation.agent")]
    desk.agents.register(
        RegisterAgent("undoer", parse_agent("undoer", {"kind": "scripted", "script": "echo"})), cause()
    )
    assert desk.processes.publish(PublishProcess(id), cause()).facts["version"] == 1


def together(*actions: object) -> list[object]:
    """What each action gives, or the codes of the errors it was refused for, when all begin at once."""
    barrier = threading.Barrier(len(actions))
    outcomes: list[object] = [None] * len(actions)

    def run(at: int, action: object) -> None:
        barrier.wait()
        try:
            outcomes[at] = action()  # type: ignore[operator]
        except Malformed as refusal:
            outcomes[at] = [problem.code for problem in refusal.problems if problem.severity == "error"]

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
