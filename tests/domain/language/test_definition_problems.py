"""Everything wrong with a definition is told at once: each with its code, path, line, column and hint."""

import pytest

from domain.language import agent_problems, parse_definition
from domain.refusal import Problem

GOOD = "- {id: a, agent: writer, message: hi}\n"


def problems_of(source: str, severity: str = "error") -> list[Problem]:
    return [problem for problem in parse_definition(source).problems if problem.severity == severity]


def steps(*lines: str) -> str:
    return "name: p\nsteps:\n" + "".join(f"- {{{line}}}\n" for line in lines)


# Each `§` marks where the problem is; it is taken out before reading.
AT_ROOT = [
    ("§name: p", "missing_field", "steps"),
    ("name: p\nsteps: §[]", "empty", "steps"),
    ("name: p\nsteps: §4", "wrong_type", "steps"),
    ("name: p\nsteps: [§4]", "wrong_type", "steps[0]"),
    ("§steps:\n" + GOOD, "missing_field", "name"),
    ("name: §Up\nsteps:\n" + GOOD, "invalid_name", "name"),
    ("name: §'p\n\n '\nsteps:\n" + GOOD, "invalid_name", "name"),
    ("name: §7\nsteps:\n" + GOOD, "wrong_type", "name"),
]
BESIDE_A_GOOD_STEP = [
    ("labels: [x, §7]", "wrong_type", "labels[1]"),
    ("labels: §{x: 1}", "wrong_type", "labels"),
    (f"labels: §[{', '.join('x' * 51)}]", "too_many", "labels"),
    (f"owner: §{'x' * 201}", "too_long", "owner"),
    ("input: {x: {type: §text}}", "unknown_value", "input.x.type"),
    ("input: {x: §string}", "wrong_type", "input.x"),
    ("input: {§x y: {}}", "invalid_name", "input.x y"),
    ("input: {x: {type: integer, default: §1.0}}", "wrong_type", "input.x.default"),
    ("input: {x: {type: number, default: §true}}", "wrong_type", "input.x.default"),
    ("input: {x: {enum: [1, 2], default: §3}}", "not_in_enum", "input.x.default"),
    ("input: {x: {enum: §[]}}", "empty", "input.x.enum"),
    ("input: {x: {type: string, enum: [a, §1]}}", "wrong_type", "input.x.enum[1]"),
    ("triggers: [{type: §soon, id: x}]", "unknown_trigger_type", "triggers[0].type"),
    ("triggers: [§{type: manual}]", "missing_field", "triggers[0].id"),
    ("triggers: [{type: manual, id: x}, {type: manual, id: §x}]", "duplicate_trigger", "triggers[1].id"),
    ("input: {x: {}}\ntriggers: [{type: manual, id: x, input: {§y: 1}}]", "unknown_input", "triggers[0].input.y"),
    ("triggers: [{type: webhook, id: x, secret: §hunter2}]", "secret_not_a_reference", "triggers[0].secret"),
    ("triggers: [{type: webhook, id: x, secret: §'a${A}'}]", "secret_not_a_reference", "triggers[0].secret"),
    ("triggers: [{type: webhook, id: x, secret: §'${DATABASE_URL}'}]", "secret_reserved", "triggers[0].secret"),
    ("triggers: [{type: manual, id: x, secret: §'${A}'}]", "secret_unused", "triggers[0].secret"),
    ("outputs: [§{name: x}]", "missing_field", "outputs[0].source"),
    ("outputs: {x: §null}", "missing_field", "outputs.x"),
    ("outputs: [{name: x, source: 1}, {name: §x, source: 2}]", "duplicate_output", "outputs[1].name"),
    ("outputs: {x: §'{{ steps.b.output }}'}", "unknown_step", "outputs.x"),
    ("outputs: {x: §steps.b.output}", "unknown_step", "outputs.x"),
]
IN_ONE_STEP = [
    ("§{id: a, message: hi}", "missing_field", "type"),
    ("§{id: a, type: agent_task, message: hi}", "missing_field", "agent"),
    ("§{id: a, agent: w}", "missing_field", "message"),
    ("{id: a, agent: w, message: §''}", "empty", "message"),
    ("{id: a, agent: w, message: §7}", "wrong_type", "message"),
    ("{id: §A, agent: w, message: hi}", "invalid_id", "id"),
    ("{id: a, type: §agent-task, agent: w, message: hi}", "unknown_step_type", "type"),
    ("{id: a, agent: w, message: hi, condition: §7}", "wrong_type", "condition"),
    ("{id: a, agent: w, message: hi, condition: §''}", "empty", "condition"),
    ("{id: a, agent: w, message: hi, parameters: §[]}", "wrong_type", "parameters"),
    ("{id: a, agent: w, message: hi, output_schema: §{type: txt}}", "invalid_output_schema", "output_schema"),
    ("{id: a, agent: w, message: x, output_schema: §{$ref: 'file:///x'}}", "invalid_output_schema", "output_schema"),
    ("{id: a, agent: w, message: hi, roles: §[]}", "wrong_type", "roles"),
    ("{id: a, roles: {executor: §v}, agent: w, message: hi}", "executor_differs", "roles.executor"),
    ("{id: a, roles: {executor: w, informed: [v, §w]}, message: hi}", "duplicate_role", "roles.informed[1]"),
    ("{id: a, agent: w, message: x, depends_on: §a}", "self_dependency", "depends_on"),
    ("{id: a, agent: w, message: x, depends_on: [§b]}", "unknown_step", "depends_on[0]"),
    ("{id: a, agent: w, message: x, depends_on: [§7]}", "wrong_type", "depends_on[0]"),
    ("{id: a, agent: w, message: x, condition: §1 >}", "expression_syntax", "condition"),
    ("{id: a, agent: w, message: §'x {{ input.'}", "expression_syntax", "message"),
    ("{id: a, agent: w, message: §'{{ secret.x }}'}", "unknown_root", "message"),
    ("{id: a, agent: w, message: §'{{ steps.a.output }}'}", "step_not_upstream", "message"),
    ("{id: a, agent: w, message: §'{{ process.x }}'}", "unknown_member", "message"),
    ("{id: a, agent: w, message: §'{{ execution }}'}", "incomplete_path", "message"),
]
IN_THE_SECOND_STEP = [
    ("{id: §a, agent: w, message: x}", "duplicate_step", "id"),
    (
        "{id: b, agent: w, message: x, parameters: {y: [§'{{ steps.a.output }}']}}",
        "step_not_upstream",
        "parameters.y[0]",
    ),
    ("{id: b, agent: w, message: §'{{ steps.a.out }}', depends_on: a}", "unknown_member", "message"),
    ("{id: b, agent: w, message: §'{{ steps.a }}', depends_on: a}", "incomplete_path", "message"),
    ("{id: b, agent: w, message: x, condition: §steps.aa.output}", "unknown_step", "condition"),
]
CASES = [
    *AT_ROOT,
    *((f"name: p\n{text}\nsteps:\n{GOOD}", code, path) for text, code, path in BESIDE_A_GOOD_STEP),
    *((f"name: p\nsteps:\n- {text}\n", code, f"steps[0].{path}") for text, code, path in IN_ONE_STEP),
    *((f"name: p\nsteps:\n{GOOD}- {text}\n", code, f"steps[1].{path}") for text, code, path in IN_THE_SECOND_STEP),
    (
        f"name: p\ninput: {{x: {{}}}}\nsteps:\n{GOOD[:-5]} §'{{{{ input.y }}}}'}}\n",
        "unknown_input",
        "steps[0].message",
    ),
]


@pytest.mark.parametrize(("marked", "code", "path"), CASES)
def test_each_problem_is_located(marked: str, code: str, path: str) -> None:
    before = marked[: marked.index("§")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = [(p.code, p.path, p.line, p.column) for p in problems_of(marked.replace("§", ""))]
    assert found == [(code, path, line, column)]


def test_all_problems_come_at_once() -> None:
    source = """\
name: Wrong
input: {topic: {type: strin}}
steps:
- {id: a, agent: writer, mesage: hi, depends_on: c}
- {id: b, type: agent_tsk}
- {id: c, agent: writer, message: "{{ steps.bb.output }}", depends_on: a}
outputs: {x: "{{ input.topik }}"}
"""
    found = {(p.code, p.line, p.hint) for p in parse_definition(source).problems}
    assert {(code, line) for code, line, _ in found} == {
        ("invalid_name", 1),
        ("unknown_value", 2),
        ("dependency_cycle", 4),
        ("missing_field", 4),
        ("unknown_key", 4),
        ("unknown_step_type", 5),
        ("unknown_step", 6),
        ("unknown_input", 7),
    }
    assert ("unknown_key", 4, "did you mean `message`?") in found
    assert ("unknown_step_type", 5, "did you mean `agent_task`?") in found
    assert ("unknown_input", 7, "did you mean `topic`?") in found


def test_a_cycle_is_shown() -> None:
    source = steps(
        "id: a, agent: w, message: x, depends_on: b",
        "id: b, agent: w, message: x, depends_on: c",
        "id: c, agent: w, message: x, depends_on: a",
        "id: d, agent: w, message: x, depends_on: e",
        "id: e, agent: w, message: x, depends_on: [d, a]",
    )
    assert [p.message.partition(": ")[2] for p in problems_of(source)] == ["a → b → c → a", "d → e → d"]


def test_the_place_inside_an_expression_is_told() -> None:
    (problem,) = problems_of(steps("id: a, agent: w, message: 'dear {{ secret }}'"))
    assert "at character 9 of this text" in problem.message


def test_unknown_keys_are_warnings_and_other_spellings_notices() -> None:
    parsed = parse_definition(
        "name: p\nteam: x\nsteps:\n- {id: a, agent: w, message: x, retries: {}}\n"
        "outputs: [{name: x, value: 1}, {name: y, source: steps.a.output.text}]\n"
    )
    assert [(p.severity, p.code, p.path, p.line) for p in parsed.problems] == [
        ("warning", "unknown_key", "team", 2),
        ("warning", "unknown_key", "steps[0].retries", 4),
        ("notice", "alias", "outputs[0].value", 5),
        ("notice", "alias", "outputs[1].source", 5),
        ("notice", "may_be_missing", "outputs[1].source", 5),
    ]
    assert parsed.definition is not None
    assert [output.source for output in parsed.definition.outputs] == [1, "{{ steps.a.output.text }}"]


def test_both_spellings_at_once_are_an_error() -> None:
    source = "name: p\noutputs: [{name: x, value: 1, source: 2}]\nsteps:\n" + GOOD
    assert [(p.code, p.path) for p in problems_of(source)] == [("said_twice", "outputs[0].value")]


def test_short_forms_say_the_same_as_long_ones() -> None:
    short = parse_definition(
        "name: p\nversion: 1.10\nlabels:\nsteps:\n- {id: a, agent: w, message: x}\n"
        "- {id: b, roles: {executor: w}, message: x, depends_on: a, condition: true}\n"
        "outputs: {x: '{{ steps.b.output }}'}\n"
    )
    long = parse_definition(
        "name: p\nversion: '1.10'\nsteps:\n- {id: a, type: agent_task, agent: w, message: x}\n"
        "- {id: b, type: agent_task, agent: w, message: x, depends_on: [a], condition: true}\n"
        "outputs: [{name: x, source: '{{ steps.b.output }}'}]\n"
    )
    assert short.definition == long.definition
    assert short.definition is not None
    assert short.problems == []


def test_what_is_upstream_through_others_may_be_referred_to() -> None:
    source = steps(
        "id: a, agent: w, message: x",
        "id: b, agent: w, message: x, depends_on: a",
        "id: c, agent: w, message: '{{ steps.a.output.x }}', depends_on: b, condition: steps.a.cost > 1",
    )
    assert problems_of(source) == []


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("writer", "active", None), ("writer", "retired", "retired_agent"), ("righter", "active", "unknown_agent")],
)
def test_agents_that_cannot_work_are_located(name: str, status: str, code: str | None) -> None:
    parsed = parse_definition(steps("id: a, roles: {executor: writer}, message: x"))
    found = agent_problems(parsed, {name: status}, severity="warning")
    assert [p.code for p in found] == ([code] if code else [])
    if code:
        assert (found[0].path, found[0].line, found[0].column) == ("steps[0].roles.executor", 3, 29)
        assert found[0].severity == "warning"
    if code == "unknown_agent":
        assert found[0].hint == "did you mean `righter`?"


def test_who_only_watches_is_never_an_error() -> None:
    parsed = parse_definition(steps("id: a, agent: writer, roles: {monitors: [boss], informed: [crew]}, message: x"))
    assert [(p.path, p.severity) for p in agent_problems(parsed, {}, severity="error")] == [
        ("steps[0].agent", "error"),
        ("steps[0].roles.monitors[0]", "warning"),
        ("steps[0].roles.informed[0]", "warning"),
    ]
    assert parsed.definition is not None
    assert parsed.definition.agents_used == ("boss", "crew", "writer")


def test_a_thousand_steps_are_the_most() -> None:
    lines = [f"id: s{i}, agent: w, message: x" for i in range(1_001)]
    assert problems_of(steps(*lines[:1_000])) == []
    assert [(p.code, p.path) for p in problems_of(steps(*lines))] == [("too_many_steps", "steps")]


NAMED_ALONE = [
    ("steps: [{review: {agent: writer, message: hi}}]", "write `- id: review`, with its fields beside the id"),
    (
        f"steps: [{GOOD[2:-1]}]\ntriggers: [{{nightly: {{type: manual}}}}]",
        "write `- id: nightly`, with its fields beside the id",
    ),
    (
        f"steps: [{GOOD[2:-1]}]\noutputs: [{{total: 1}}]",
        "write `{name: total, source: …}`, or `outputs` as an object",
    ),
    (
        f"steps: [{{id: each, type: sub_process, for_each: '{{{{ [1] }}}}', steps: [{GOOD[2:-1]}], "
        "outputs: [{total: 1}]}]",
        "write `{name: total, source: …}`, or `outputs` as an object",
    ),
    (
        "steps: [{id: each, type: sub_process, for_each: '{{ [1] }}', steps: [{review: {agent: writer}}]}]",
        "write `- id: review`, with its fields beside the id",
    ),
]
# One key that is a field of such an entry, or stands in an object of another kind.
NOT_NAMED = [
    ("agent: writer", "id"),
    ("type: timer", "id"),
    ("typ: timer", "id"),
    ("id: a", "type"),
    ("id: a, type: gateway, routes: [{to: b}]", "routes[0].target"),
    ("id: a, type: gateway, routes: [{condition: true}]", "routes[0].target"),
    ("id: a, agent: writer, message: hi, max_cost: {amount: '1'}", "max_cost.currency"),
    ("id: a, agent: writer, message: hi, on_error: {go: b}", "on_error.goto_step"),
    ("id: a, agent: writer, message: hi, compensation: {agent: writer}", "compensation.message"),
]


@pytest.mark.parametrize(("text", "hint"), NAMED_ALONE)
def test_an_entry_that_is_one_key_is_hinted_at_by_the_form_of_its_own_list(text: str, hint: str) -> None:
    assert hint in {each.hint for each in problems_of(f"name: p\n{text}\n") if each.code == "missing_field"}


@pytest.mark.parametrize(("step", "path"), NOT_NAMED)
def test_one_key_that_is_no_name_of_an_entry_is_not_proposed_as_its_id(step: str, path: str) -> None:
    hints = {each.path: each.hint for each in problems_of(steps(step)) if each.code == "missing_field"}
    assert "beside the id" not in hints[f"steps[0].{path}"]


@pytest.mark.parametrize(("output", "missing"), [("name", "source"), ("source", "name")])
def test_a_field_of_an_output_is_not_proposed_as_its_name(output: str, missing: str) -> None:
    found = problems_of(f"name: p\nsteps:\n{GOOD}outputs: [{{{output}: x}}]\n")
    assert {each.path: each.hint for each in found}[f"outputs[0].{missing}"] == ""
