"""Steps that tell somebody something: rendered here, delivered by a worker, as an agent is called."""

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.events.step import StepFailed, StepScheduled
from tests.scenario import refused

BUSY = StepError("smtp_error", "try again later")
DELIVERED = {"delivered": [{"channel": "webhook", "id": "x"}]}


@pytest.fixture
def tell(begin):
    """tell(message="…", …): an execution of one notification, with ``input`` as given, and a step after it."""

    def build(given=None, **more):
        step = {"type": "notification", "channel": ["webhook"], "message": "hello"} | more
        return begin({"tell": [], "after": ["tell"]}, given=given, tell=step)

    return build


def test_a_delivery_is_an_attempt_for_a_worker_that_names_no_agent(tell):
    run = tell(message="hello {{ input.who }}", given={"who": "ann"})
    scheduled = run.last(StepScheduled)
    assert (scheduled.agent, scheduled.message, scheduled.parameters) == ("", "hello ann", {"channels": ["webhook"]})
    assert run.taken == ["tell"]
    run.when(complete_step, "tell", 1, DELIVERED, after=1, take=0).then("StepCompleted(tell)", "StepScheduled(after)")
    assert run.execution.steps["tell"].output == DELIVERED
    assert run.replayed() == run.execution


def test_whatever_is_written_is_rendered(tell):
    run = tell(
        channel=["email", "slack"],
        subject="for {{ input.who }}",
        url="https://example.org/{{ input.who }}",
        recipients=["{{ input.to }}", "{{ input.who }}@example.org"],
        given={"who": "ann", "to": ["bob@example.org", "eve@example.org"]},
    )
    assert run.last(StepScheduled).parameters == {
        "channels": ["email", "slack"],
        "subject": "for ann",
        "url": "https://example.org/ann",
        "recipients": ["bob@example.org", "eve@example.org", "ann@example.org"],
    }


def test_what_is_told_is_text_whatever_a_template_gives(tell):
    run = tell(message="{{ input.numbers }}", subject="{{ input.n }}", given={"numbers": [1, 2], "n": 5})
    assert (run.last(StepScheduled).message, run.last(StepScheduled).parameters["subject"]) == ("[1,2]", "5")


@pytest.mark.parametrize("to", [5, None, "", ["ann", 5], {"a": "b"}, [["ann"]]])
def test_recipients_that_are_no_texts_fail_the_step(tell, to):
    run = tell(channel=["email"], recipients=["{{ input.to }}"], given={"to": to}, retry={"max_attempts": 3})
    assert (run.last(StepFailed).error.code, run.execution.status) == ("recipients_invalid", "failed")


def test_no_recipients_are_left_out(tell):
    run = tell(channel=["email"], recipients=["{{ input.to }}"], given={"to": []})
    assert run.last(StepScheduled).parameters == {"channels": ["email"]}


def test_a_message_that_cannot_be_worked_out_fails_the_step(tell):
    assert tell(message="{{ input.nowhere }}").last(StepFailed).error.code == "unknown_path"


def test_the_same_is_delivered_again(tell):
    run = tell(subject="s", retry={"max_attempts": 2, "delay": 10}, timeout=5)
    assert run.due("tell", "timeout") == 5
    run.when(fail_step, "tell", 1, BUSY, after=1).then("StepFailed(tell)", "StepRetryScheduled(tell)")
    run.given(fire_timer, "tell", "retry", after=11, take=1)
    again = run.last(StepScheduled)
    assert (again.attempt, again.agent, again.message) == (2, "", "hello")
    assert again.parameters == {"channels": ["webhook"], "subject": "s"}


def test_what_cannot_be_delivered_fails_the_execution_or_is_left_out(tell):
    missing = StepError("channel_not_configured", "no webhook", permanent=True)
    assert (
        tell(retry={"max_attempts": 3}).when(fail_step, "tell", 1, missing, after=1).names[-1]
        == "ExecutionFailed(tell)"
    )
    run = tell(on_error="skip_step")
    assert run.when(fail_step, "tell", 1, missing, after=1).names[1:3] == ["StepSkipped(tell)", "StepScheduled(after)"]


def test_operators_may_repeat_it_or_leave_it_out_but_not_give_it_to_an_agent(tell):
    run = tell()
    run.when(reassign_step, "tell", "other", "x", after=1).then(refused("not_an_agent_task"))
    assert run.when(retry_step, "tell", "again", after=1).names[-1] == "StepScheduled(tell)"
    assert run.when(skip_step, "tell", "no need", after=2).names[:2] == ["StepCancelled(tell)", "StepSkipped(tell)"]
    run = tell()
    run.given(fail_step, "tell", 1, BUSY, after=1)
    run.when(retry_execution, "again", after=2).then("ExecutionRetried", "StepScheduled(tell)")
    assert run.last(StepScheduled).attempt == 2


def test_a_notification_holds_no_sensitive_value(begin):
    step = {
        "type": "notification",
        "channel": ["webhook"],
        "subject": "{{ input.ssn }}",
        "message": "SSN {{ input.ssn }} of {{ input.city }}",
    }
    given = {"ssn": "078-05-1120", "city": "Bern"}
    declared = {"ssn": {"type": "string", "sensitive": True}, "city": {"type": "string"}}
    run = begin({"tell": []}, given=given, tell=step, root={"input": declared})
    scheduled = run.last(StepScheduled)
    assert (scheduled.message, scheduled.parameters["subject"]) == ("SSN ••• of Bern", "•••")
