"""Gateways, the branches they choose, and the joins behind them."""

from typing import Any

import pytest

from domain.agents.calls import StepError
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.events.step import GatewayEvaluated, RouteChecked, StepFailed, StepSkipped

BUSY = StepError("agent_error", "busy")


def gate(kind: str, *routes: tuple[str | bool | None, str], **more: Any) -> dict[str, Any]:
    written = [{"target": target} | ({} if when is None else {"condition": when}) for when, target in routes]
    return {"type": "gateway", "gateway_type": kind, "routes": written, **more}


TWO_WAYS = {"g": [], "high": [], "low": [], "end": ["high", "low"]}


def by_size(kind: str = "exclusive", **more: Any) -> dict[str, Any]:
    return gate(kind, ("input.n > 10", "high"), ("input.n < 20", "low"), **more)


def reached(run: Any) -> set[str]:
    return {step for step, state in run.execution.steps.items() if state.status in ("scheduled", "started")}


@pytest.mark.parametrize(
    ("kind", "n", "taken"),
    [
        ("exclusive", 15, {"high"}),
        ("exclusive", 5, {"low"}),
        ("inclusive", 15, {"high", "low"}),
        ("inclusive", 25, {"high"}),
        ("parallel", 0, {"high", "low"}),
    ],
)
def test_only_chosen_targets_run(begin, kind, n, taken):
    run = begin(TWO_WAYS, given={"n": n}, g=by_size(kind))
    assert reached(run) == taken
    skipped = {e.step for e in run.events if isinstance(e, StepSkipped)}
    assert skipped == {"high", "low"} - taken


def test_a_gateway_says_what_it_looked_at_and_what_it_chose(begin):
    run = begin(TWO_WAYS, given={"n": 15}, g=by_size())
    evaluated = run.last(GatewayEvaluated)
    assert evaluated.conditions == [RouteChecked("high", True, "input.n > 10")]
    assert (evaluated.chosen, evaluated.default) == (["high"], False)
    run = begin(TWO_WAYS, given={"n": 30}, g=by_size("inclusive"))
    assert [route.value for route in run.last(GatewayEvaluated).conditions] == [True, False]


def test_what_a_gateway_chose_can_be_read(begin):
    run = begin(TWO_WAYS, given={"n": 15}, g=by_size(), high={"message": "{{ steps.g.output.chosen }}"})
    assert run.execution.steps["high"].message == ["high"]


@pytest.mark.parametrize("kind", ["exclusive", "inclusive"])
def test_when_no_condition_holds_the_default_route_is_taken(begin, kind):
    graph = {"g": [], "a": [], "b": []}
    run = begin(graph, g=gate(kind, ("false", "a"), (False, "b"), default_route="b"))
    assert reached(run) == {"b"}
    assert run.last(GatewayEvaluated).default
    run = begin(graph, g=gate(kind, ("true", "a"), default_route="b"))
    assert reached(run) == {"a"}
    assert not run.last(GatewayEvaluated).default


@pytest.mark.parametrize("kind", ["exclusive", "inclusive"])
def test_with_nowhere_to_go_on_the_gateway_fails(begin, kind):
    run = begin({"g": [], "a": []}, g=gate(kind, ("false", "a")))
    assert (run.last(StepFailed).error.code, run.execution.status) == ("no_route", "failed")
    run = begin({"g": [], "a": [], "b": []}, g=gate(kind, ("false", "a"), on_error={"goto_step": "b"}))
    assert reached(run) == {"b"}


def test_a_condition_that_cannot_be_worked_out_fails_the_gateway(begin):
    run = begin({"g": [], "a": []}, given={"n": "text"}, g=gate("exclusive", ("input.n > 1", "a")))
    assert run.last(StepFailed).error.code == "type_mismatch"


def test_a_join_waits_for_what_can_still_come_and_not_for_what_cannot(begin):
    run = begin(TWO_WAYS, given={"n": 5}, g=by_size())
    assert run.when(complete_step, "low", 1, "x", after=1).names[-1] == "StepScheduled(end)"
    run = begin(TWO_WAYS, given={"n": 15}, g=by_size("inclusive"))
    run.when(complete_step, "low", 1, "x", after=1).then("StepCompleted(low)")
    run.when(complete_step, "high", 1, "x", after=2, take=0).then("StepCompleted(high)", "StepScheduled(end)")


def test_what_no_taken_branch_leads_to_is_skipped_however_long_the_branch(begin):
    graph = {"g": [], "a": [], "b": [], "b2": ["b"], "b3": ["b2"], "end": ["a", "b3"]}
    run = begin(graph, g=gate("exclusive", ("true", "a"), ("true", "b")))
    assert [(e.step, e.reason) for e in run.events if isinstance(e, StepSkipped)] == [
        (step, "branch_not_taken") for step in ("b", "b2", "b3")
    ]
    assert run.status("end") is None


def test_gateways_on_a_branch_that_is_not_taken_are_not_looked_at(begin):
    graph = {"g": [], "a": [], "inner": [], "x": [], "y": [], "end": ["a", "x", "y"]}
    run = begin(
        graph,
        g=gate("exclusive", ("true", "a"), ("true", "inner")),
        inner=gate("exclusive", ("input.nothing > 1", "x"), ("true", "y")),
    )
    assert reached(run) == {"a"}
    run.given(complete_step, "a", 1, 1, after=1)
    assert reached(run) == {"end"}


def test_a_gateway_behind_a_gateway_chooses_in_the_same_decision(begin):
    graph = {"g": [], "a": [], "inner": [], "x": [], "y": [], "end": ["a", "x", "y"]}
    run = begin(
        graph,
        g=gate("exclusive", ("false", "a"), ("true", "inner")),
        inner=gate("exclusive", ("false", "x"), ("true", "y")),
    )
    assert reached(run) == {"y"}


def test_a_step_that_may_run_for_two_reasons_runs_for_one(begin):
    graph = {"g": [], "h": [], "both": [], "end": []}
    for first, second, runs in ((True, False, True), (False, True, True), (False, False, False)):
        run = begin(
            graph,
            g=gate("exclusive", (first, "both"), (not first, "end")),
            h=gate("exclusive", (second, "both"), (not second, "end")),
        )
        assert ("both" in reached(run)) is runs


def test_a_step_that_waits_for_a_gateway_and_is_none_of_its_targets_runs_whatever_it_chose(begin):
    run = begin({"g": [], "a": [], "b": [], "after": ["g"]}, g=gate("exclusive", ("true", "a"), ("true", "b")))
    assert reached(run) == {"a", "after"}


def test_a_target_that_also_depends_on_its_gateway_is_still_chosen_or_not(begin):
    run = begin({"g": [], "a": ["g"], "b": ["g"]}, g=gate("exclusive", ("true", "a"), ("true", "b")))
    assert reached(run) == {"a"}


def test_several_routes_to_one_step_are_one_branch(begin):
    graph = {"g": [], "a": [], "end": ["a"]}
    run = begin(graph, g=gate("inclusive", ("true", "a"), ("false", "a"), ("true", "a")))
    assert run.last(GatewayEvaluated).chosen == ["a"]
    run.when(complete_step, "a", 1, 1, after=1, take=0).then("StepCompleted(a)", "StepScheduled(end)")


def test_of_a_gateway_that_is_left_out_no_route_is_taken(begin):
    run = begin(TWO_WAYS, given={"n": 5}, g=by_size(condition="false"))
    assert run.execution.status == "completed"
    assert {e.step: e.reason for e in run.events if isinstance(e, StepSkipped)} == {
        "g": "condition_false",
        "high": "branch_not_taken",
        "low": "branch_not_taken",
        "end": "branch_not_taken",
    }


def test_a_step_left_out_for_its_condition_does_not_cut_its_branch(begin):
    graph = {"g": [], "a": [], "b": [], "a2": ["a"]}
    run = begin(graph, g=gate("exclusive", ("true", "a"), ("true", "b")), a={"condition": "false"})
    assert reached(run) == {"a2"}


def test_an_error_within_a_branch_leads_out_of_it(begin):
    graph = {"g": [], "a": [], "b": [], "a2": ["a"], "repair": [], "end": ["a2", "b", "repair"]}
    run = begin(graph, g=gate("exclusive", ("true", "a"), ("true", "b")), a={"on_error": {"goto_step": "repair"}})
    run.given(fail_step, "a", 1, BUSY, after=1, take=1)
    assert reached(run) == {"repair"}
    run.given(complete_step, "repair", 1, 1, after=2)
    assert reached(run) == {"end"}
    assert run.replayed() == run.execution
