"""What undoes a step: what is wrong with it, whom it names, and how it is planned beside the graph."""

from datetime import timedelta

import pytest

from domain.language import agent_problems, parse_definition
from domain.processes.plan import PlannedAgentTask, PlannedNotification
from domain.refusal import Problem
from tests.definitions import plan_of

STEP = "id: a, agent: w, message: x"
UNDO = "agent: u, message: x"


def step(compensation: str) -> str:
    return f"name: p\nsteps:\n- {{{STEP}, compensation: {compensation}}}\n- {{id: b, agent: w, message: x}}\n"


def problems_of(source: str, severity: str) -> list[Problem]:
    return [problem for problem in parse_definition(source).problems if problem.severity == severity]


# Each `§` marks where the problem is; it is taken out before reading.
@pytest.mark.parametrize(
    ("compensation", "code", "path"),
    [
        ("§undo", "wrong_type", ""),
        ("§{}", "missing_field", ".type"),
        ("§{message: x}", "missing_field", ".type"),
        ("§{agent: u}", "missing_field", ".message"),
        ("§{type: agent_task, message: x}", "missing_field", ".agent"),
        ("{type: §timer, duration: 1s}", "unknown_value", ".type"),
        ("{type: §[timer]}", "unknown_value", ".type"),
        ("§{type: notification, message: x}", "missing_field", ".channel"),
        ("{type: notification, message: x, channel: §sms}", "unknown_value", ".channel"),
        ("§{type: notification, message: x, channel: email}", "missing_field", ".recipients"),
        ("{type: notification, message: x, channel: webhook, url: §x}", "invalid_url", ".url"),
        (f"{{{UNDO}, timeout: §0}}", "invalid_duration", ".timeout"),
        (f"{{{UNDO}, retry: {{max_attempts: §0}}}}", "out_of_range", ".retry.max_attempts"),
        (f"{{{UNDO}, output_schema: §{{type: txt}}}}", "invalid_output_schema", ".output_schema"),
        (f"{{{UNDO}, max_cost: §5}}", "wrong_type", ".max_cost"),
        ("{agent: u, message: §'{{ steps.c.output }}'}", "unknown_step", ".message"),
        ("{agent: u, message: §'{{ steps.a.outputs }}'}", "unknown_member", ".message"),
        ("{agent: u, message: x, parameters: {y: [§'{{ input. }}']}}", "expression_syntax", ".parameters.y[0]"),
    ],
)
def test_each_error_is_located(compensation: str, code: str, path: str) -> None:
    marked = step(compensation)
    column = len(marked.splitlines()[2].split("§")[0]) + 1
    found = [(p.code, p.path, p.line, p.column) for p in problems_of(marked.replace("§", ""), "error")]
    assert found == [(code, f"steps[0].compensation{path}", 3, column)]


@pytest.mark.parametrize("key", ["id", "depends_on", "condition", "on_error", "on_timeout", "roles", "compensation"])
def test_what_only_a_step_has_is_ignored_with_a_warning(key: str) -> None:
    source = step(f"{{{UNDO}, {key}: b}}")
    assert [(p.code, p.path) for p in problems_of(source, "warning")] == [
        ("unknown_key", f"steps[0].compensation.{key}")
    ]
    assert plan_of(source).compensations == {"a": "a.compensation"}


@pytest.mark.parametrize(
    "compensation", [f"{{{UNDO}, timeout: 2h, total_timeout: 1h}}", f"{{{UNDO}, retry: {{delay: 1s}}}}"]
)
def test_times_that_do_not_agree_are_a_warning(compensation: str) -> None:
    assert len(problems_of(step(compensation), "warning")) == 1


def test_it_may_refer_to_itself_and_to_any_other_step() -> None:
    assert parse_definition(step("{agent: u, message: '{{ steps.a.output }} {{ steps.b.output }}'}")).problems == []


def test_its_agent_is_one_of_the_definition() -> None:
    parsed = parse_definition(step(f"{{{UNDO}}}"))
    assert parsed.definition is not None
    assert parsed.definition.agents_used == ("u", "w")
    assert [(p.code, p.path, p.severity) for p in agent_problems(parsed, {"w": "active"})] == [
        ("unknown_agent", "steps[0].compensation.agent", "error")
    ]


def test_every_type_of_step_may_have_one() -> None:
    written = ["type: timer, duration: 1s", "type: human_approval", "type: sub_process, process: q", STEP[7:]]
    written += ["type: notification, channel: slack, message: x", "type: gateway, routes: [{target: z, default: true}]"]
    steps = "".join(f"- {{id: s{at}, {each}, compensation: {{{UNDO}}}}}\n" for at, each in enumerate(written))
    parsed = parse_definition(f"name: p\nsteps:\n{steps}- {{id: z, agent: w, message: x}}\n")
    assert parsed.problems == []


def test_compensations_are_planned_after_the_steps_and_outside_of_the_graph() -> None:
    plan = plan_of(
        "name: p\ndefaults: {timeout: 9s, retry: {max_attempts: 2}}\nsteps:\n"
        f"- {{{STEP}, compensation: {{{UNDO}, timeout: 5s, total_timeout: 1m}}}}\n"
        "- {id: b, agent: w, message: x, depends_on: a, "
        "compensation: {type: notification, channel: slack, message: x}}\n"
        "- {id: c, agent: w, message: x, depends_on: [a, b]}\n"
    )
    assert list(plan.steps) == ["a", "b", "c", "a.compensation", "b.compensation"]
    assert plan.compensations == {"a": "a.compensation", "b": "b.compensation"}
    assert (plan.size, plan.roots, plan.waiting) == (3, ("a",), {"b": 1, "c": 2})
    task, told = plan.steps["a.compensation"], plan.steps["b.compensation"]
    assert isinstance(task, PlannedAgentTask)
    assert isinstance(told, PlannedNotification)
    for planned, step in ((task, "a"), (told, "b")):
        assert (planned.compensates, plan.steps[step].compensates) == (step, None)
        assert (planned.incoming, planned.dependents, planned.condition) == ((), (), None)
        assert planned.retry is not None
        assert planned.retry.max_attempts == 2
    assert (task.agent, task.timeout, task.total_timeout) == ("u", timedelta(seconds=5), timedelta(minutes=1))
    assert (told.channels, told.timeout) == (("slack",), timedelta(seconds=9))
