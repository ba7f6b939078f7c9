"""Operators and filters that never work, words that a value never has, null where null fails, and look-alikes."""

import pytest

from domain.language import parse_definition

INPUT = """input:
  n: {type: number, required: true}
  maybe: {type: number}
  sure: {type: boolean}
  box: {type: object}
  full: {type: object, default: {}}
  usual: {type: number, default: 3}
  text: {type: string, required: true}
  flag: {type: boolean, required: true}
  kind: {type: string, enum: [news, notes], required: true}
  size: {enum: [1, 2], required: true}
  items: {type: array, required: true}
"""
STEPS = """- {id: ask, type: human_approval, on_error: skip_step}
- {id: firm, type: human_approval}
- {id: way, type: gateway, routes: [{condition: 'true', target: left}], default_route: right}
- {id: left, agent: w, message: x}
- {id: right, agent: w, message: x}
- {id: plain, agent: w, message: x}
- id: typed
  agent: w
  message: x
  output_schema:
    type: object
    required: [level, at, part]
    properties:
      level: {enum: [low, high]}
      at: {type: [string, 'null']}
      part: {type: [object, 'null'], required: [size], properties: {size: {type: number}}}
"""
BEFORE = "depends_on: [ask, firm, way, plain, typed]"


def found(condition: str, *, more: str = "") -> list[tuple[str, str, str]]:
    step = f'- {{id: b, agent: w, message: x, {BEFORE}, condition: "{condition}"{more}}}\n'
    problems = parse_definition(f"name: p\n{INPUT}steps:\n{STEPS}{step}").problems
    return [(each.severity, each.code, each.hint) for each in problems if each.path.startswith("steps[7]")]


@pytest.mark.parametrize(
    ("condition", "severity", "hint"),
    [
        ("steps.ask.output.decision == 'aproved'", "error", "did you mean `approved`?"),
        ("steps.ask.output.decision != 'reject'", "error", "did you mean `rejected`?"),
        ("(steps.ask.output.decision || 'none') == 'aproved'", "error", "did you mean `approved`?"),
        ("steps.ask.output.decision in ['approved', 'accepted']", "warning", "one of: approved, rejected"),
        ("steps.firm.output.decision == 'rejected'", "warning", "on_error: skip_step"),
        ("steps.firm.output.decision == 'accepted'", "warning", "one of: approved"),
        ("steps.plain.status == 'succeeded'", "warning", "one of: completed"),
        ("'lefft' in steps.way.output.chosen", "error", "did you mean `left`?"),
        ("steps.way.output.chosen contains 'centre'", "warning", "one of: left, right"),
        ("steps.way.output.chosen[0] == 'lefft'", "error", "did you mean `left`?"),
        ("steps.typed.output.level == 'hig'", "error", "did you mean `high`?"),
        ("input.kind == 'poem'", "warning", "one of: news, notes"),
        ("input.size == 3", "warning", "one of: 1, 2"),
        ("trigger.type == 'webhok'", "error", "did you mean `webhook`?"),
    ],
)
def test_a_word_that_a_value_never_has_is_found(condition: str, severity: str, hint: str) -> None:
    ((weight, code, said),) = found(condition)
    assert (weight, code) == (severity, "unknown_value")
    assert hint in said


@pytest.mark.parametrize(
    "condition",
    [
        "steps.ask.output.decision == 'changes_requested'",
        "(steps.ask.output.decision || 'none') == 'none'",
        "(steps.plain.output.decision || 'none') == 'aproved'",
        "steps.plain.output.x == 'anything'",
        "input.kind in ['news', 'notes']",
        "steps.typed.output.level == input.kind",
        "input.text == 'x' and input.size == 2",
        "steps.way.output.chosen == ['left']",
        "input.maybe == null or input.maybe > 3",
        "input.sure != null and input.sure",
        "input.sure || false",
        "input.sure | default(false)",
        "input.sure == true",
        "input.box != null and input.box.id == 3",
        "(input.box.id || 0) == 3",
        "(input.box.id | default(0)) == 3",
        "input.full.id == 3",
        "steps.typed.output.part != null and steps.typed.output.part.size == 3",
        "input.maybe != null and input.maybe + 1 > 3",
        "(input.maybe || 0) > 3",
        "(input.maybe | default(0) | round) > 3",
        "input.usual > 3 and input.flag and not input.flag",
        "(input.items | first) == 3 and (input.items | length) > 0",
        "steps.ask.output.by | upper | trim == 'ANN'",
    ],
)
def test_what_may_be_true_is_nothing_to_talk_about(condition: str) -> None:
    assert found(condition) == []


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("input.text + 1 > 2", "type_mismatch"),
        ("-input.text > 2", "type_mismatch"),
        ("input.n | upper == 'X'", "type_mismatch"),
        ("(input.n | length) > 2", "type_mismatch"),
        ("(input.text | round) > 2", "type_mismatch"),
        ("(input.text | join(', ')) == 'x'", "type_mismatch"),
        ("(input.text | truncate('3')) == 'x'", "type_mismatch"),
        ("input.n > null", "type_mismatch"),
        ("input.text and input.flag", "not_a_boolean"),
        ("not input.n", "not_a_boolean"),
        ("input.flag or input.text", "not_a_boolean"),
        ("(input.maybe || 'none') + 1 > 2", "type_mismatch"),
    ],
)
def test_what_an_operator_or_a_filter_never_takes_is_an_error(condition: str, code: str) -> None:
    assert [(severity, each) for severity, each, _ in found(condition)] == [("error", code)]


@pytest.mark.parametrize(
    "condition",
    [
        "input.maybe > 3",
        "3 <= input.maybe",
        "input.maybe + 1 == 3",
        "(input.maybe | round) == 3",
        "(steps.typed.output.at | upper) == 'X'",
        "steps.ask.output.comment | upper == 'X'",
        "steps.plain.cost > 1",
        "steps.ask.output.comment contains 'x'",
        "'x' in steps.ask.output.comment",
        "input.sure",
        "input.sure and input.flag",
        "not input.sure",
        "input.box.id == 3",
        "input.box['id'] == 3",
        "steps.typed.output.part.size == 3",
    ],
)
def test_null_where_null_fails_is_a_warning(condition: str) -> None:
    assert [(severity, code) for severity, code, _ in found(condition)] == [("warning", "may_be_null")]


@pytest.mark.parametrize(
    ("message", "severity", "code"),
    [
        ("input.text", "warning", "not_a_template"),
        ("Hello {input.text}", "warning", "not_a_template"),
        ("Hello ${input.text}", "warning", "not_a_template"),
        ("{% if input.flag %}yes{% endif %}", "warning", "not_a_template"),
        ("{{ steps.plain.error.message }}", "warning", "may_be_null"),
        ("{{ trigger.payload.order }}", "warning", "may_be_null"),
        ("{{ input.items.length }}", "error", "unknown_member"),
        ("{{ trigger.payload }} {{ steps.plain.error || 'none' }} {{ steps.plain.error }}", "", ""),
        ("Set {a} to ${b}, input. Or steps.", "", ""),
    ],
)
def test_a_template_that_never_gives_what_it_seems_to_is_found(message: str, severity: str, code: str) -> None:
    text = f'- {{id: b, agent: w, {BEFORE}, message: "{message}"}}\n'
    problems = parse_definition(f"name: p\n{INPUT}steps:\n{STEPS}{text}").problems
    shown = [(each.severity, each.code) for each in problems if each.path.startswith("steps[7]")]
    assert shown == ([(severity, code)] if code else [])


@pytest.mark.parametrize("condition", ["steps.plain.status == 'failed'", "steps.plain.error != null"])
def test_a_condition_guards_what_the_step_reads(condition: str) -> None:
    source = f"""name: p
{INPUT}steps:
- {{id: plain, agent: w, message: x, on_error: skip_step}}
- {{id: b, agent: w, depends_on: plain, condition: "{condition}", message: "{{{{ steps.plain.error.message }}}}"}}
- {{id: c, agent: w, condition: input.maybe != null, message: "{{{{ input.maybe | round }}}}"}}
"""
    assert parse_definition(source).problems == []


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("labels: a", "labels"),
        ("triggers: {type: manual, id: m}", "triggers"),
    ],
)
def test_one_entry_is_a_list_of_one(root: str, path: str) -> None:
    parsed = parse_definition(f"name: p\n{root}\nsteps: [{{id: a, agent: w, message: x}}]\n")
    assert parsed.problems == []
    assert len(getattr(parsed.definition, path)) == 1


@pytest.mark.parametrize(
    "field",
    ["retry: {max_attempts: 2, retry_on: x}", "retry: {max_attempts: 2, give_up_on: x}"],
)
def test_one_error_code_is_a_list_of_one(field: str) -> None:
    assert parse_definition(f"name: p\nsteps: [{{id: a, agent: w, message: x, {field}}}]\n").problems == []


@pytest.mark.parametrize(
    ("source", "severity", "path"),
    [
        ("steps: [{id: a, type: human_approval, roles: {executor: ann}}]", "warning", "steps[0].roles.executor"),
        ("steps: [{id: a, type: timer, duration: 1s, roles: {executor: ann}}]", "warning", "steps[0].roles.executor"),
        (
            "input: {n: {required: true, default: 3}}\nsteps: [{id: a, agent: w, message: x}]",
            "notice",
            "input.n.required",
        ),
        (
            "triggers: [{type: manual, id: a}, {type: manual, id: b, input: {n: 1}}]\n"
            "steps: [{id: a, agent: w, message: x}]",
            "warning",
            "triggers[1].input",
        ),
    ],
)
def test_a_field_without_effect_is_found(source: str, severity: str, path: str) -> None:
    problems = parse_definition(f"name: p\n{source}\n").problems
    assert [(each.severity, each.code, each.path) for each in problems] == [(severity, "unused_field", path)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("Ticket #{{ input.text }}", True),
        ("Ticket #5", True),
        ("Ticket # about {{ input.text }}", True),
        ("Ticket # a comment", False),
        ("'Ticket #5'", False),
        ("C#5", False),
    ],
)
def test_a_text_that_a_comment_cuts_is_a_warning(value: str, told: bool) -> None:
    source = f"name: p\n{INPUT}steps:\n- id: a\n  agent: w\n  message: {value}\n"
    found = [(each.severity, each.code) for each in parse_definition(source).problems]
    assert found == ([("warning", "cut_by_comment")] if told else [])


@pytest.mark.parametrize(
    ("message", "source", "told"),
    [
        ("x", "{{ steps.plain.output.x }}", True),
        ("x", "{{ steps.plain.output.x || 'none' }}", False),
        ("x", "{{ steps.plain.output }}", False),
        ("x", "{{ steps.typed.output.level }}", False),
        ("{{ steps.plain.output.x }}", "{{ steps.plain.output.x }}", False),
    ],
)
def test_an_output_that_may_fail_an_execution_at_its_end_is_a_notice(message: str, source: str, told: bool) -> None:
    step = f'- {{id: b, agent: w, {BEFORE}, message: "{message}"}}\n'
    problems = parse_definition(f'name: p\n{INPUT}steps:\n{STEPS}{step}outputs: {{o: "{source}"}}\n').problems
    found = [(each.severity, each.code) for each in problems if each.path.startswith("outputs")]
    assert found == ([("notice", "may_be_missing")] if told else [])
