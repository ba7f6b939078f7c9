"""Branches in the plan: which edges there are, what gateways and fallbacks become, what defaults fill in."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import process_id
from domain.language import parse_definition
from domain.language.expressions import Condition
from domain.money import Money
from domain.processes.plan import (
    Fallback,
    PlannedAgentTask,
    PlannedGateway,
    compile_plan,
)
from tests.definitions import plan_of

SOURCE = """\
name: claims
defaults:
  timeout: 5m
  retry: {max_attempts: 3}
  roles: {executor: clerk, monitors: [boss], informed: [crew]}
steps:
- {id: a, message: x, on_error: {goto_step: late}, max_cost: {amount: "0.050", currency: USD}, heartbeat: 30s}
- id: g
  type: gateway
  depends_on: a
  routes:
  - {condition: steps.a.output.n > 1, target: b}
  - {condition: true, target: b}
  - {target: c, default: true}
- {id: b, depends_on: g, agent: boss, message: x, timeout: 1h, total_timeout: 2h, on_timeout: skip}
- {id: c, message: "{{ steps.a.output }}", retry: {}, on_timeout: {goto: late}, on_error: skip_step}
- {id: late, type: timer, duration: 1h, retry: {max_attempts: 2, backoff: linear}, on_error: fail_process}
- {id: d, depends_on: [c, b], roles: {informed: [press]}, message: "{{ steps.g.output.chosen }}"}
"""


def test_routes_and_gotos_are_edges() -> None:
    plan = plan_of(SOURCE)
    assert plan.roots == ("a",)
    assert {name: step.incoming for name, step in plan.steps.items()} == {
        "a": (),
        "g": ("a",),
        "b": ("g",),
        "c": ("g",),
        "late": ("a", "c"),
        "d": ("c", "b"),
    }
    assert {name: step.dependents for name, step in plan.steps.items()} == {
        "a": ("g", "late"),
        "g": ("b", "c"),
        "b": ("d",),
        "c": ("late", "d"),
        "late": (),
        "d": (),
    }
    assert plan.steps["c"].depends_on == ()


def test_defaults_fill_in_what_a_step_does_not_say() -> None:
    steps = plan_of(SOURCE).steps
    minutes = {name: step.timeout and step.timeout / timedelta(minutes=1) for name, step in steps.items()}
    # Timers and gateways call nobody; a default meant for those who do would only end a long wait.
    assert minutes == {"a": 5, "g": None, "b": 60, "c": 5, "late": None, "d": 5}
    attempts = {name: step.retry and step.retry.max_attempts for name, step in steps.items()}
    assert attempts == {"a": 3, "g": None, "b": 3, "c": 1, "late": 2, "d": 3}
    assert {name: step.agent for name, step in steps.items() if isinstance(step, PlannedAgentTask)} == {
        "a": "clerk",
        "b": "boss",
        "c": "clerk",
        "d": "clerk",
    }


def test_default_roles_give_way_to_those_a_step_has() -> None:
    definition = parse_definition(SOURCE).definition
    assert definition is not None
    roles = {step.id: definition.roles_of(step) for step in definition.steps}
    assert (roles["a"].executor, roles["a"].monitors, roles["a"].informed) == ("clerk", ("boss",), ("crew",))
    assert (roles["b"].executor, roles["b"].monitors, roles["b"].informed) == ("boss", (), ("crew",))
    assert (roles["d"].executor, roles["d"].monitors, roles["d"].informed) == ("clerk", ("boss",), ("press",))
    assert roles["late"].executor is None
    assert definition.agents_used == ("boss", "clerk", "crew", "press")


def test_what_happens_otherwise_is_planned() -> None:
    steps = plan_of(SOURCE).steps
    assert {name: (step.on_error, step.on_timeout) for name, step in steps.items()} == {
        "a": (Fallback("goto", "late"), None),
        "g": (None, None),
        "b": (None, Fallback("skip")),
        "c": (Fallback("skip"), Fallback("goto", "late")),
        "late": (Fallback("fail"), None),
        "d": (None, None),
    }
    task = steps["a"]
    assert isinstance(task, PlannedAgentTask)
    assert (task.max_cost, task.heartbeat) == (Money(Decimal("0.050"), "USD"), timedelta(seconds=30))
    assert steps["b"].total_timeout == timedelta(hours=2)


def test_a_gateway_is_ready_to_be_evaluated() -> None:
    gateway = plan_of(SOURCE).steps["g"]
    assert isinstance(gateway, PlannedGateway)
    assert (gateway.gateway_type, gateway.default) == ("exclusive", "c")
    first, second = gateway.routes
    assert isinstance(first.condition, Condition)
    assert first.condition.evaluate({"steps": {"a": {"output": {"n": 2}}}})
    assert (second.target, second.condition) == ("b", True)


@pytest.mark.parametrize(
    ("fields", "routes", "default"),
    [
        ("routes: [{condition: true, target: b}, {target: c}], default_route: c", [("b", True)], "c"),
        ("routes: [{condition: true, target: b, default: true}]", [("b", True)], "b"),
        ("routes: [{target: b, default: true}], default_route: b", [], "b"),
        ("gateway_type: inclusive, routes: [{condition: false, target: b}]", [("b", False)], None),
        ("gateway_type: parallel, routes: [{target: b}, {target: c}]", [("b", None), ("c", None)], None),
        ("gateway_type: parallel, routes: [{condition: false, target: b}], default_route: c", [("b", None)], None),
    ],
)
def test_defaults_of_gateways(fields: str, routes: list[tuple[str, bool | None]], default: str | None) -> None:
    source = f"name: p\nsteps:\n- {{id: g, type: gateway, {fields}}}\n"
    plan = plan_of(source + "".join(f"- {{id: {name}, agent: w, message: x}}\n" for name in "bc"))
    gateway = plan.steps["g"]
    assert isinstance(gateway, PlannedGateway)
    assert [(route.target, route.condition) for route in gateway.routes] == routes
    assert gateway.default == default
    assert set(gateway.dependents) == {target for target, _ in routes} | ({default} - {None})


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=12))
def test_a_valid_definition_has_a_plan_in_which_every_step_can_be_reached(edges: list[tuple[int, int, bool]]) -> None:
    """Whatever leads where: there are problems, or an order in which each step comes after all that lead to it."""
    lines = []
    for at in range(6):
        needs = sorted({f"s{a}" for a, b, depends in edges if depends and b == at})
        routes = ", ".join(f"{{target: s{b}}}" for a, b, depends in edges if not depends and a == at)
        kind = f"type: gateway, gateway_type: parallel, routes: [{routes}]" if routes else "type: timer, duration: 1s"
        lines.append(f"- {{id: s{at}, depends_on: [{', '.join(needs)}], {kind}}}\n")
    parsed = parse_definition("name: p\nsteps:\n" + "".join(lines))
    assert {problem.code for problem in parsed.errors} <= {
        "self_dependency",
        "dependency_cycle",
        "goes_to_itself",
        "goes_backwards",
    }
    if parsed.definition is None:
        return
    plan = compile_plan(parsed.definition, process_id("p"), 1)
    left, reached = dict(plan.steps), set(plan.roots)
    while left:
        ready = [name for name, step in left.items() if set(step.incoming) <= plan.steps.keys() - left.keys()]
        assert ready
        for name in ready:
            del left[name]
            reached |= set(plan.steps[name].dependents)
    assert reached == set(plan.steps)
