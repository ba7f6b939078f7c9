"""The plan that the engine runs, the input it takes, and the answers it lets pass."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import process_id
from domain.language.expressions import Condition
from domain.language.types.output_schema import InvalidOutputSchema, compile_output_schema
from domain.processes.plan import accept_input
from domain.refusal import Malformed
from tests.definitions import plan_of

SOURCE = """\
name: review
input:
  topic: {type: string, required: true}
  count: {type: integer, default: 3, enum: [1, 2, 3]}
  share: {type: number}
  tags: {type: array, default: []}
  note: {default: null}
triggers:
- {type: manual, id: off, enabled: false, input: {count: 1}}
- {type: manual, id: by-hand, input: {count: 2}}
steps:
- {id: d, depends_on: [c, b], agent: w, message: "{{ steps.b.output }}", condition: steps.c.output.ok}
- {id: b, depends_on: a, agent: w, message: x, condition: false}
- {id: a, agent: w, message: "about {{ input.topic }}", parameters: {n: "{{ input.count }}"}}
- id: c
  depends_on: a
  agent: w
  message: x
  output_schema: {type: object, required: [ok, why], properties: {ok: {type: boolean}}}
outputs: {result: "{{ steps.d.output }}", fixed: 7}
"""


def test_the_plan_knows_who_waits_for_whom() -> None:
    plan = plan_of(SOURCE, version=4)
    assert (plan.name, plan.process_id, plan.version, plan.roots) == ("review", process_id("review"), 4, ("a",))
    assert list(plan.steps) == ["d", "b", "a", "c"]
    assert {name: (step.depends_on, step.dependents) for name, step in plan.steps.items()} == {
        "d": (("c", "b"), ()),
        "b": (("a",), ("d",)),
        "a": ((), ("b", "c")),
        "c": (("a",), ("d",)),
    }


def test_everything_in_the_plan_is_ready_to_be_evaluated() -> None:
    plan = plan_of(SOURCE)
    scope = {"input": {"topic": "tea", "count": 2}, "steps": {"c": {"output": {"ok": True}}, "d": {"output": [1]}}}
    first = plan.steps["a"]
    assert (first.agent, first.message.render(scope), first.parameters.render(scope)) == ("w", "about tea", {"n": 2})
    assert plan.steps["b"].condition is False
    assert first.condition is None
    condition = plan.steps["d"].condition
    assert isinstance(condition, Condition)
    assert condition.evaluate(scope)
    assert {name: source.render(scope) for name, source in plan.outputs} == {"result": [1], "fixed": 7}


@pytest.mark.parametrize(
    ("given_input", "accepted"),
    [
        ({"topic": "tea"}, {"topic": "tea", "count": 2, "tags": [], "note": None}),
        ({"topic": "tea", "count": 1, "share": 1}, {"topic": "tea", "count": 1, "share": 1, "tags": [], "note": None}),
        (
            {"topic": "", "tags": None, "share": None},
            {"topic": "", "count": 2, "share": None, "tags": [], "note": None},
        ),
        ({"topic": "tea", "count": None, "note": {"a": 1}}, {"topic": "tea", "count": 3, "tags": [], "note": {"a": 1}}),
    ],
)
def test_input_is_completed(given_input: dict[str, Any], accepted: dict[str, Any]) -> None:
    assert accept_input(plan_of(SOURCE).input_spec, given_input) == accepted


def test_all_that_is_wrong_with_an_input_is_told() -> None:
    with pytest.raises(Malformed) as refusal:
        accept_input(plan_of(SOURCE).input_spec, {"topik": "tea", "count": 4, "share": True, "tags": {}, "note": 2**70})
    assert {(p.code, p.path) for p in refusal.value.problems} == {
        ("required_input", "input.topic"),
        ("not_in_enum", "input.count"),
        ("wrong_type", "input.share"),
        ("wrong_type", "input.tags"),
        ("number_out_of_range", "input.note"),
        ("unknown_input", "input.topik"),
    }
    assert "did you mean 'topic'?" in [p.hint for p in refusal.value.problems]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["", "x"], [1, True, [], {}]),
        ("number", [1, 1.5, -0.0], [True, "1", []]),
        ("integer", [1, -(2**63)], [1.0, True, "1"]),
        ("boolean", [True, False], [0, 1, "true"]),
        ("array", [[], [1]], [{}, "x", True]),
        ("object", [{}, {"a": 1}], [[], "x", False]),
    ],
)
def test_types_are_strict(kind: str, good: list[Any], bad: list[Any]) -> None:
    source = f"name: p\ninput: {{x: {{type: {kind}}}}}\nsteps: [{{id: a, agent: w, message: x}}]\n"
    spec = plan_of(source).input_spec
    for value in good:
        assert accept_input(spec, {"x": value}) == {"x": value}
    for value in bad:
        with pytest.raises(Malformed):
            accept_input(spec, {"x": value})


def test_an_enum_tells_true_from_one() -> None:
    spec = plan_of("name: p\ninput: {x: {enum: [1, [true]]}}\nsteps: [{id: a, agent: w, message: x}]\n").input_spec
    assert accept_input(spec, {"x": [True]}) == {"x": [True]}
    for value in (True, [1]):
        with pytest.raises(Malformed):
            accept_input(spec, {"x": value})


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(-5, 5) | st.none()
    )
)
def test_where_nothing_is_declared_anything_goes(anything: dict[str, Any]) -> None:
    spec = plan_of("name: p\nsteps: [{id: a, agent: w, message: x}]\n").input_spec
    assert accept_input(spec, anything) == anything


def test_answers_are_checked_against_the_output_schema() -> None:
    step = plan_of(SOURCE).steps["c"]
    assert step.output_problems({"ok": True, "why": 1}) == []
    problems = step.output_problems({"ok": 1})
    assert len(problems) == 2
    assert any(problem.startswith("output.ok: ") for problem in problems)
    assert plan_of(SOURCE).steps["a"].output_problems(object()) == []


def test_few_and_short_messages_are_given() -> None:
    schema = compile_output_schema({"items": {"type": "string", "pattern": "^(a+)+$"}})
    messages = schema.problems(["a" * 5_000 + "b"] * 50)
    assert len(messages) == 5
    assert all(len(message) <= 300 for message in messages)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "txt"},
        {"pattern": "("},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/nobody"},
        {"$ref": "#named"},
        {"$dynamicRef": "#x"},
        {"$schema": "https://example.com/draft"},
    ],
)
def test_schemas_that_cannot_be_used_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidOutputSchema):
        compile_output_schema(document)


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"type": "object", "required": ["value"], "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    schema = compile_output_schema(tree)
    assert schema.problems({"value": 1, "left": {"value": 2}}) == []
    assert schema.problems({"value": 1, "left": {}}) != []
    assert compile_output_schema({"$ref": "#"}).problems(1) == []


@pytest.mark.parametrize("depth", [16, 32])
def test_a_deep_answer_against_a_schema_that_refers_to_itself_is_refused_in_linear_time(depth: int) -> None:
    again = {"$ref": "#/$defs/n"}
    branches = [{"type": "array", "items": again, "maxItems": most} for most in (5, 6)]
    schema = compile_output_schema({**again, "$defs": {"n": {"anyOf": [*branches, {"type": "null"}]}}})
    output: Any = "x"
    for _ in range(depth):
        output = [output]
    assert len(schema.problems(output)) == 1  # naming the place would take years at the second depth
