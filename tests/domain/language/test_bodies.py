"""Steps inside a step, `for_each` and `repeat`: how they are read and printed, and each problem at its place."""

import pytest

from domain.language import definition_document, parse_definition, print_definition
from domain.processes.callees import calls_in
from tests.domain.language.bodies import BODY, located, read


@pytest.mark.parametrize(
    "fields",
    [
        BODY,
        f"{BODY}, input_mapping: {{topic: '{{{{ input.topic }}}}'}}, output_key: result",
        f"{BODY}, for_each: {{items: '{{{{ input.companies }}}}', as: company, key: '{{{{ company.id }}}}'}}",
        f"{BODY}, for_each: {{items: [1, two, '{{{{ input.n }}}}'], max_parallel: 1000, on_error: collect}}",
        f"{BODY}, for_each: {{items: [1]}}, input_mapping: {{}}",
        f"{BODY}, for_each: {{items: []}}, input_mapping: {{x: '{{{{ item.name }}}}', y: '{{{{ input.n }}}}'}}",
        f"{BODY}, repeat: {{until: round > 2 and last.output.n == 1, carry: {{text: '{{{{ last.output.text }}}}'}}}}",
        f"{BODY}, repeat: {{until: 'last.output.text == steps.draft.output', max: 3, delay: 1m, on_exhausted: accept}}",
        "process: other, for_each: {items: '{{ input.companies }}', as: company}",
        "process: other, version: 2, repeat: {until: last.output.any == true, carry: {a: '{{ round }}'}}",
        f"steps: [{{id: inner, type: sub_process, for_each: {{items: '{{{{ input.a }}}}'}}, {BODY}}}], "
        "input_mapping: {a: '{{ input.companies }}'}, outputs: {all: '{{ steps.inner.output[0].text }}'}",
    ],
)
def test_it_is_read_without_a_word_and_printed_as_the_same(fields: str) -> None:
    parsed = read(fields)
    assert parsed.problems == []
    assert parsed.definition is not None
    printed = print_definition(parsed.definition)
    assert parse_definition(printed).definition == parsed.definition
    assert "as_:" not in printed


def test_a_body_is_respelled_as_a_process_is() -> None:
    spelled = (
        "steps: [{id: ask, type: human_approval, assignees: ann, on_error: skip}, "
        "{id: b, agent: w, depends_on: ask, message: '{{ steps.ask.decision }}', roles: {monitors: m}, "
        "retry: {max_attempts: 2, initial_delay: 1s}}], outputs: {a: steps.ask.output.comments}"
    )
    canonical = (
        "steps: [{id: ask, type: human_approval, approvers: [ann], on_error: skip_step}, "
        "{id: b, type: agent_task, agent: w, depends_on: [ask], message: '{{ steps.ask.output.decision }}', "
        "roles: {monitors: [m]}, retry: {max_attempts: 2, delay: 1s}}], "
        "outputs: [{name: a, source: '{{ steps.ask.output.comment }}'}]"
    )
    parsed = read(spelled)
    assert {problem.code for problem in parsed.problems} == {"alias"}
    assert parsed.definition == read(canonical).definition
    assert read(canonical).problems == []


def test_a_body_takes_the_executor_of_the_defaults() -> None:
    source = (
        "{name: p, defaults: {roles: {executor: w}}, steps: [{id: s, type: sub_process, steps: [{id: a, message: x}]}]}"
    )
    definition = parse_definition(source).definition
    assert definition is not None
    assert definition.agents_used == ("w",)
    assert [step.id for step in definition.all_steps] == ["s", "a"]


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ("for_each: {items: [1]}§", "missing_field", "process"),
        (f"process: q, §{BODY}", "process_and_steps", "steps"),
        (f"{BODY}, §version: 2", "version_of_steps", "version"),
        ("process: q, §input: {x: 1}", "without_steps", "input"),
        ("process: q, §outputs: {x: 1}", "without_steps", "outputs"),
        (f"{BODY}, for_each: {{items: [1]}}, §repeat: {{until: round == 2}}", "for_each_and_repeat", "repeat"),
        (f"{BODY}, for_each: {{items: [1]}}, §wait: false", "repeats_without_waiting", "wait"),
        (f"{BODY}, repeat: {{until: round == 2}}, §wait: false", "repeats_without_waiting", "wait"),
        (f"{BODY}, for_each: {{items: §5}}", "wrong_type", "for_each.items"),
        (f"{BODY}, for_each: {{items: §input.companies}}", "wrong_type", "for_each.items"),
        (f"{BODY}, for_each: {{items: §'{{{{ input.topic }}}}'}}", "type_mismatch", "for_each.items"),
        (f"{BODY}, for_each: {{items: §'a {{{{ input.companies }}}}'}}", "type_mismatch", "for_each.items"),
        (f"{BODY}, for_each: §{{as: x}}", "missing_field", "for_each.items"),
        (f"{BODY}, for_each: {{items: [1], as: §input}}", "reserved_name", "for_each.as"),
        (f"{BODY}, for_each: {{items: [1], as: §round}}", "reserved_name", "for_each.as"),
        (f"{BODY}, for_each: {{items: [1], as: §not}}", "reserved_name", "for_each.as"),
        (f"{BODY}, for_each: {{items: [1], as: §a b}}", "invalid_name", "for_each.as"),
        (f"{BODY}, for_each: {{items: [1], max_parallel: §0}}", "out_of_range", "for_each.max_parallel"),
        (f"{BODY}, for_each: {{items: [1], on_error: §ignore}}", "unknown_value", "for_each.on_error"),
        (f"{BODY}, for_each: {{items: [1], §max_paralel: 2}}", "unknown_key", "for_each.max_paralel"),
        (f"{BODY}, for_each: {{items: [1], as: c, key: §'{{{{ d.id }}}}'}}", "unknown_root", "for_each.key"),
        (f"{BODY}, for_each: {{items: [§'{{{{ item }}}}']}}", "unknown_root", "for_each.items[0]"),
        (
            f"{BODY}, for_each: {{items: [1], key: '{{{{ item }}}}'}}, condition: §item == 1",
            "unknown_root",
            "condition",
        ),
        (
            f"{BODY}, input: {{x: {{type: integer}}}}, input_mapping: {{§y: 1}}",
            "unknown_child_input",
            "input_mapping.y",
        ),
        (
            f"{BODY}, input: {{x: {{type: integer}}}}, input_mapping: {{x: §a}}",
            "invalid_child_input",
            "input_mapping.x",
        ),
        (
            f"{BODY}, input: {{x: {{type: integer}}}}, input_mapping: {{x: §'{{{{ input.topic }}}}'}}",
            "invalid_child_input",
            "input_mapping.x",
        ),
        (
            f"{BODY}, input: {{x: {{required: true}}}}, §input_mapping: {{}}",
            "missing_child_input",
            "input_mapping",
        ),
        (f"{BODY}, input: {{x: {{}}}}, §for_each: {{items: [1]}}", "unknown_child_input", "for_each"),
        (
            f"{BODY}, input: {{x: {{}}}}, repeat: {{until: round == 1, carry: {{§y: 1}}}}",
            "unknown_child_input",
            "repeat.carry.y",
        ),
        (f"{BODY}, repeat: §{{max: 3}}", "missing_field", "repeat.until"),
        (f"{BODY}, repeat: {{until: §last.output.m == 1}}", "unknown_member", "repeat.until"),
        (f"{BODY}, repeat: {{until: §last.n == 1}}", "unknown_member", "repeat.until"),
        (
            f"{BODY}, repeat: {{until: round == 1, carry: {{x: §'{{{{ last }}}}'}}}}",
            "incomplete_path",
            "repeat.carry.x",
        ),
        (f"{BODY}, repeat: {{until: §round}}", "not_a_boolean", "repeat.until"),
        (f"{BODY}, repeat: {{until: §last.output.n == 'x'}}", "type_mismatch", "repeat.until"),
        (f"{BODY}, repeat: {{until: §steps.s.output.n == 1}}", "step_not_upstream", "repeat.until"),
        (f"{BODY}, repeat: {{until: §steps.after.output == 1}}", "step_not_upstream", "repeat.until"),
        (
            f"{BODY}, repeat: {{until: round == 1}}, input_mapping: {{x: §'{{{{ round }}}}'}}",
            "unknown_root",
            "input_mapping.x",
        ),
        (
            f"{BODY}, repeat: {{until: round == 1, carry: {{x: §'{{{{ last.output.m }}}}'}}}}",
            "unknown_member",
            "repeat.carry.x",
        ),
        ("steps: §[]", "empty", "steps"),
        ("steps: [§{id: a, agent: w}]", "missing_field", "steps[0].message"),
        (
            "steps: [{id: a, agent: w, message: x, retry: {max_attempts: §0}}]",
            "out_of_range",
            "steps[0].retry.max_attempts",
        ),
        ("input: {x: {type: §strin}}, steps: [{id: a, agent: w, message: x}]", "unknown_value", "input.x.type"),
        ("steps: [{id: a, agent: w, message: x}, {id: §a, agent: w, message: x}]", "duplicate_step", "steps[1].id"),
        ("steps: [{id: a, agent: w, message: x, depends_on: [§draft]}]", "unknown_step", "steps[0].depends_on[0]"),
    ],
)
def test_each_problem_is_located(fields: str, code: str, path: str) -> None:
    found, at = located(fields)
    errors = [problem for problem in found if problem.severity == "error"]
    assert [(each.code, each.path) for each in errors] == [(code, f"steps[1].{path}")], errors
    if code != "missing_field":
        assert [(each.line, each.column) for each in errors] == [at]


def nested(depth: int) -> str:
    step = "{id: a, agent: w, message: x}"
    for _ in range(depth):
        step = f"{{id: s, type: sub_process, steps: [{step}]}}"
    return f"{{name: p, steps: [{step}]}}"


def test_bodies_stand_inside_at_most_five_others() -> None:
    assert parse_definition(nested(5)).problems == []
    (problem,) = parse_definition(nested(6)).problems
    assert problem.code == "nested_too_deep"
    assert problem.path == "steps[0].steps[0].steps[0].steps[0].steps[0].steps[0].steps"


def test_the_steps_of_all_bodies_count_together() -> None:
    def holding(count: int) -> str:
        steps = ", ".join(f"{{id: a{at}, agent: w, message: x}}" for at in range(count))
        bodies = ", ".join(f"{{id: {id}, type: sub_process, steps: [{steps}]}}" for id in "st")
        return f"{{name: p, steps: [{bodies}]}}"

    assert parse_definition(holding(499)).problems == []
    (problem,) = parse_definition(holding(500)).problems
    assert (problem.code, problem.path) == ("too_many_steps", "steps")


def test_what_a_definition_names_is_found_in_bodies() -> None:
    source = """
name: p
steps:
- id: s
  type: sub_process
  for_each: {items: [1]}
  steps:
  - {id: a, agent: deep, message: x, roles: {informed: [boss]}, compensation: {agent: undoer, message: x}}
  - {id: b, type: notification, channel: slack, message: x}
  - {id: c, type: sub_process, process: other, for_each: {items: [1], as: one}}
"""
    parsed = parse_definition(source)
    assert {use.name for use in parsed.agents} == {"deep", "boss", "undoer"}
    assert [(use.name, use.at.path) for use in parsed.channels] == [("slack", "steps[0].steps[1].channel")]
    ((process, inputs),) = ((use.name, [each.name for each in use.inputs]) for use in parsed.processes)
    assert (process, inputs) == ("other", ["one"])
    assert parsed.definition is not None
    assert parsed.definition.agents_used == ("boss", "deep", "undoer")
    assert calls_in(definition_document(parsed.definition)) == [("other", None)]
