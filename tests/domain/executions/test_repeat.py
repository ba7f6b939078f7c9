"""Steps that repeat until a condition holds: rounds, what is carried, and how it ends."""

from uuid import UUID

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.child import end_child
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import retry_execution
from domain.executions.decisions.timer import fire_timer, move_timer
from domain.executions.events.child import SubProcessClosed, SubProcessStarted
from domain.executions.events.repetition import RoundCompleted
from domain.executions.events.step import StepCompleted, StepFailed
from domain.identity import child_id
from tests.domain.executions.test_for_each import completed, failed

RUN = UUID(int=1)


@pytest.fixture
def loop(begin):
    """loop(max=2): an execution at second 0 that drafts until the draft is approved."""

    def build(step=None, **more):
        until = {"until": "last.output.decision == 'approved'", "carry": {"draft": "{{ last.output.text }}"}}
        written = {
            "type": "sub_process",
            "agent": "",
            "repeat": until | more,
            "input_mapping": {"draft": "none", "topic": "{{ input.topic }}"},
            "steps": [{"id": "work", "type": "agent_task", "agent": "echo", "message": "go"}],
        }
        return begin({"each": [], "after": ["each"]}, given={"topic": "x"}, each=written | (step or {}))

    return build


def ends(run, round, end, after=1, attempt=1):
    return run.when(end_child, child_id(RUN, f"each#{round}", attempt), end, after=after).names


def asked(run):
    return [(event.round, event.attempt) for event in run.events if isinstance(event, SubProcessStarted)]


def test_one_round_follows_another_with_what_is_carried(loop):
    run = loop()
    assert run.last(SubProcessStarted).input == {"draft": "none", "topic": "x"}
    assert ends(run, 1, completed({"decision": "no", "text": "one"})) == [
        "RoundCompleted(each)",
        "SubProcessStarted(each)",
    ]
    assert run.last(SubProcessStarted).input == {"draft": "one", "topic": "x"}
    ends(run, 2, completed({"decision": "approved", "text": "two"}))
    assert run.last(StepCompleted).output == {"decision": "approved", "text": "two"}
    assert (asked(run), run.status("after")) == ([(1, 1), (2, 1)], "scheduled")
    assert run.replayed() == run.execution


def test_the_end_of_a_round_counts_once(loop):
    run = loop()
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    assert ends(run, 1, completed({"decision": "approved", "text": "one"})) == []


@pytest.mark.parametrize(("on_exhausted", "status"), [("fail", "failed"), ("accept", "completed")])
def test_the_last_round_fails_the_step_or_is_accepted(loop, on_exhausted, status):
    run = loop(max=2, on_exhausted=on_exhausted)
    for round in (1, 2):
        ends(run, round, completed({"decision": "no", "text": str(round)}))
    assert run.status("each") == status
    if status == "failed":
        assert run.last(StepFailed).error.code == "rounds_exhausted"
    else:
        assert run.last(StepCompleted).output["text"] == "2"


def test_a_delay_lies_between_rounds_and_can_be_moved(loop):
    run = loop(delay=60)
    ends(run, 1, completed({"decision": "no", "text": "one"}), after=5)
    assert (run.due("each", "round"), asked(run)) == (65, [(1, 1)])
    run.given(move_timer, "each", "round", run.timers["each", "round"].replace(second=30), "sooner", after=6)
    run.given(fire_timer, "each", "round", after=200)
    assert (asked(run), run.timers) == ([(1, 1), (2, 1)], {})
    assert run.replayed() == run.execution


def test_cancelling_between_two_rounds_leaves_nothing(loop):
    run = loop(delay=60)
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    run.given(cancel_execution, "enough", after=2)
    assert (run.execution.status, run.timers) == ("cancelled", {})


def test_cancelling_closes_the_round_under_way(loop):
    run = loop()
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    run.given(cancel_execution, "enough", after=2)
    assert run.last(SubProcessClosed).child == child_id(RUN, "each#2", 1)


def test_a_retry_begins_the_round_again_that_failed(loop):
    run = loop()
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    ends(run, 2, failed())
    run.given(retry_execution, "again", after=3)
    assert asked(run) == [(1, 1), (2, 1), (2, 2)]
    assert run.last(SubProcessStarted).input == {"draft": "one", "topic": "x"}


def test_after_all_rounds_a_retry_begins_with_the_first(loop):
    run = loop(max=1)
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    run.given(retry_execution, "again", after=3)
    assert asked(run) == [(1, 1), (1, 2)]
    assert run.last(SubProcessStarted).input == {"draft": "none", "topic": "x"}


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"until": "last.output.nothing == 1"}, "repeat.until: "),
        ({"until": "last.output.text"}, "repeat.until: "),
        ({"carry": {"draft": "{{ last.output.nothing }}"}}, "repeat.carry.draft: "),
    ],
)
def test_what_cannot_be_worked_out_after_a_round_fails_the_step_at_its_place(loop, more, place):
    run = loop(**more)
    ends(run, 1, completed({"decision": "no", "text": "one"}))
    assert run.last(StepFailed).error.message.startswith(place)
    assert (run.last(RoundCompleted).round, run.execution.children) == (1, {})


def test_a_child_that_fails_fails_the_step(loop):
    run = loop()
    ends(run, 1, failed(StepError("agent_error", "busy")))
    assert run.last(StepFailed).error.code == "child_failed"
