"""What a plan says follows a decision is what the engine does after it."""

from typing import Any

import pytest

from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.timer import fire_timer
from domain.executions.prospects import approval_prospects

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fails at the deadline": {"deadline": "1h"},
    "approved at the deadline": {"deadline": "1h", "on_deadline": "approve"},
    "skipped at the deadline": {"deadline": "1h", "on_deadline": "skip"},
    "goes on": {"deadline": "1h", "on_error": "skip_step"},
    "goes elsewhere": {"deadline": "1h", "on_error": {"goto_step": "rework"}},
    "again": {"deadline": "1h", "retry": {"max_attempts": 2, "delay": 0}},
}
GRAPH = {"ask": [], "pay": ["ask"], "decline": ["ask"], "file": ["ask"], "rework": []}
CONDITIONS = {
    "pay": {"condition": "steps.ask.output.decision == 'approved'"},
    "decline": {"condition": "steps.ask.output.decision != 'approved'"},
}


VERDICTS = ("granted", "refused", "changes_requested", "expired")
CASES = [(form, verdict, 1) for form in FORMS for verdict in VERDICTS if form != "plain" or verdict != "expired"]


@pytest.mark.parametrize(("form", "verdict", "attempt"), [*CASES, *(("again", verdict, 2) for verdict in VERDICTS)])
def test_what_follows_a_decision_is_what_the_engine_does(begin, form, verdict, attempt):
    graph = GRAPH if "elsewhere" in form else {each: needs for each, needs in GRAPH.items() if each != "rework"}
    run = begin(graph, ask={"type": "human_approval", **FORMS[form]}, **CONDITIONS)
    if attempt == 2:
        run.given(decide_approval, "ask", 1, "user:ann", "changes_requested", "", after=1)
    prospects = approval_prospects(run.execution.plan, run.execution.plan.steps["ask"], attempt)
    assert ("expired" in prospects) == ("deadline" in FORMS[form])
    if verdict == "expired":
        run.given(fire_timer, "ask", "deadline", after=3700)
    else:
        run.given(decide_approval, "ask", attempt, "user:ann", verdict, "", after=5)
    prospect = prospects[verdict]
    names = [f"{type(event).__name__}({getattr(event, 'step', '')})" for event in run.events]
    outcome = {
        "again": names[-1] == "ApprovalRequested(ask)",
        "fails": names[-1].startswith("ExecutionFailed"),
        "diverted": "StepDiverted(ask)" in names,
        "goes_on": "StepCompleted(ask)" in names or "StepSkipped(ask)" in names,
    }
    assert outcome[prospect.outcome], names
    assert {step for step in GRAPH if f"StepScheduled({step})" in names} == set(prospect.steps)
    assert prospect.conditional == ()
    assert (prospect.code == "") == (verdict == "granted" or (verdict == "expired" and "approved" in form))


def test_a_condition_that_depends_on_more_is_named_as_such(begin):
    more = {"condition": "steps.ask.output.decision == 'approved' and input.x > 1"}
    plan = begin({"ask": [], "pay": ["ask"]}, given={"x": 2}, ask={"type": "human_approval"}, pay=more).execution.plan
    granted = approval_prospects(plan, plan.steps["ask"], 1)["granted"]
    assert (granted.steps, granted.conditional) == (("pay",), ("pay",))
