"""Gateways without a default: a value that no route takes is a warning where that value is known beforehand."""

import pytest

from domain.language import parse_definition

ASK = "{id: ask, type: human_approval, title: x, on_error: skip_step}"
AGENT = """{id: ask, agent: w, message: x, output_schema: {type: object, required: [kind, sure, may], properties: {
  kind: {type: string, enum: [a, b, c]}, sure: {type: boolean}, may: {type: [string, 'null'], enum: [x, null]},
  many: {type: number}}}}"""
ENDS = "".join(f"- {{id: {name}, agent: w, message: x}}\n" for name in "tuv")


def found(first: str, *conditions: str, more: str = "", before: str = "ask", steps: str = "") -> list[str]:
    routes = ", ".join(f'{{condition: "{each}", target: {to}}}' for each, to in zip(conditions, "tuv", strict=False))
    source = f"""name: p
input: {{size: {{type: string, enum: [small, large], required: true}}, maybe: {{type: string, enum: [small, large]}}}}
steps:
- {first}
{steps}- {{id: g, type: gateway, depends_on: {before}, routes: [{routes}]{more}}}
{ENDS}"""
    problems = parse_definition(source).problems
    assert all(each.severity == "warning" for each in problems), problems
    return [each.message.split(" is ", 2)[2].split(":")[0] for each in problems if each.code == "no_route"]


APPROVED, REJECTED = "steps.ask.output.decision == 'approved'", "steps.ask.output.decision == 'rejected'"


@pytest.mark.parametrize(
    ("first", "conditions", "left"),
    [
        (ASK, [APPROVED, REJECTED], "'changes_requested'"),
        (ASK, [APPROVED], "'rejected', 'changes_requested'"),
        (AGENT, ["steps.ask.output.kind == 'a'", "steps.ask.output.kind in ['b']"], "'c'"),
        (AGENT, ["steps.ask.output.kind == 'a' or steps.ask.output.kind == 'b'"], "'c'"),
        (AGENT, ["steps.ask.output.sure"], "False"),
        (AGENT, ["steps.ask.output.may == 'x'"], "null"),
        (AGENT, ["input.size == 'small'"], "'large'"),
        (AGENT, ["input.maybe == 'small'", "input.maybe == 'large'"], "null"),
        (AGENT, ["steps.ask.output.kind == 'a'", "steps.ask.output.kind == 'b' and input.size == 'small'"], "'c'"),
    ],
)
def test_a_value_that_no_route_takes_is_a_warning(first: str, conditions: list[str], left: str) -> None:
    assert found(first, *conditions) == [left]


@pytest.mark.parametrize(
    ("first", "conditions"),
    [
        (ASK, [APPROVED, "steps.ask.output.decision != 'approved'"]),
        (ASK, [APPROVED, REJECTED, "steps.ask.output.decision == 'changes_requested'"]),
        (ASK.replace("skip_step", "{goto_step: v}"), [APPROVED, REJECTED]),
        (ASK.replace(", on_error: skip_step", ""), [APPROVED]),
        (AGENT, ["steps.ask.output.sure", "not steps.ask.output.sure"]),
        (AGENT, ["steps.ask.output.kind == 'a'", "steps.ask.output.kind in ['b', 'c']"]),
        # Nothing is known of a number, nor of which values come together.
        (AGENT, ["steps.ask.output.many | default(0) > 3"]),
        (AGENT, ["steps.ask.output.kind == 'a'", "steps.ask.output.many | default(0) > 3"]),
        (AGENT, ["steps.ask.output.sure", "steps.ask.output.kind == 'a'"]),
    ],
)
def test_a_gateway_that_may_take_a_route_for_each_value_is_fine(first: str, conditions: list[str]) -> None:
    assert found(first, *conditions) == []


@pytest.mark.parametrize(
    "more", [", default_route: v", ", condition: input.size == 'small'", ", on_error: {goto_step: v}"]
)
def test_a_default_a_condition_or_another_way_ends_the_warning(more: str) -> None:
    assert found(AGENT, "steps.ask.output.kind == 'a'", more=more) == []


@pytest.mark.parametrize(
    ("condition", "left"), [("steps.ask.output.kind != 'c'", []), ("input.size == 'small'", ["'b', 'c'"])]
)
def test_a_condition_upstream_of_the_same_value_leaves_some_out(condition: str, left: list[str]) -> None:
    steps = f"""- {{id: f, type: gateway, depends_on: ask, default_route: v,
  routes: [{{condition: "{condition}", target: h}}]}}
- {{id: h, agent: w, message: x}}
"""
    assert found(AGENT, "steps.ask.output.kind == 'a'", before="h", steps=steps) == left


def test_a_body_gets_some_values_alone() -> None:
    source = """name: p
input: {size: {type: string, enum: [small, large], required: true}}
steps:
- id: s
  type: sub_process
  condition: input.size == 'small'
  input_mapping: {size: "{{ input.size }}"}
  steps:
  - {id: g, type: gateway, routes: [{condition: input.size == 'small', target: t}]}
  - {id: t, agent: w, message: x}
"""
    assert parse_definition(source).problems == []
