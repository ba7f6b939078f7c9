"""References in bodies and around them: what each expression sees, and what to map where it does not."""

import pytest

from domain.language import parse_definition
from tests.domain.language.bodies import BODY, located, read


def reading(expression: str, fields: str = "input_mapping: {a: 1}") -> str:
    return f"{fields}, steps: [{{id: read, agent: w, message: §'{{{{ {expression} }}}}'}}]"


EACH = "for_each: {items: '{{ input.companies }}', as: company}"


@pytest.mark.parametrize(
    ("fields", "code", "remedy"),
    [
        (
            reading("steps.draft.output"),
            "not_in_body",
            'map it in `s`: `input_mapping: {draft: "{{ steps.draft.output }}"}`, and read `input.draft`',
        ),
        (
            reading("steps.draft.output.title"),
            "not_in_body",
            'map it in `s`: `input_mapping: {title: "{{ steps.draft.output.title }}"}`, and read `input.title`',
        ),
        (
            reading("input.topic"),
            "not_in_body",
            'map it in `s`: `input_mapping: {topic: "{{ input.topic }}"}`, and read `input.topic`',
        ),
        (reading("company.name", EACH), "not_in_body", "read `input.company.name`"),
        (
            reading("company.name", f"{EACH}, input_mapping: {{a: 1}}"),
            "not_in_body",
            'map it in `s`: `input_mapping: {name: "{{ company.name }}"}`, and read `input.name`',
        ),
        (
            reading("last.output.text", "repeat: {until: round == 2}"),
            "not_in_body",
            'map it in `s`: `carry: {text: "{{ last.output.text }}"}`, and read `input.text`',
        ),
        (reading("company.name"), "unknown_root", "a path starts with input, steps, execution, process, trigger"),
        (reading("input.b"), "unknown_input", "the `input_mapping` of `s` gives its steps their input"),
        (
            reading("input.a", f"{EACH}, input_mapping: {{a: '{{{{ company }}}}'}}, input: {{b: {{}}}}"),
            "unknown_input",
            "gives its steps their input",
        ),
        (
            "steps: [{id: inner, type: sub_process, steps: [{id: x, agent: w, message: §'{{ input.topic }}'}]}]",
            "not_in_body",
            "map it in each step around this one, by its `input_mapping`, and read `input.topic`",
        ),
    ],
)
def test_a_body_that_reads_what_is_outside_learns_what_to_map(fields: str, code: str, remedy: str) -> None:
    found, at = located(fields)
    (error,) = (problem for problem in found if problem.severity == "error" and problem.code != "unknown_child_input")
    assert (error.code, (error.line, error.column)) == (code, at)
    assert remedy in error.hint


@pytest.mark.parametrize(
    ("fields", "after", "code"),
    [
        (BODY, "{{ steps.s.output.m }}", "unknown_member"),
        (f"{BODY}, output_key: k", "{{ steps.s.output.n }}", "unknown_member"),
        (f"{BODY}, for_each: {{items: [1]}}", "{{ steps.s.output.n }}", "unknown_member"),
        (f"{BODY}, for_each: {{items: [1]}}", "{{ steps.s.output[0].m }}", "unknown_member"),
        (f"{BODY}, for_each: {{items: [1]}}", "{{ steps.s.output + 1 }}", "type_mismatch"),
        (f"{BODY}, for_each: {{items: [1], on_error: skip}}", "{{ steps.s.output[0].error }}", "unknown_member"),
        (
            f"{BODY}, for_each: {{items: [1], on_error: collect}}",
            "{{ steps.s.output[0].error.kind }}",
            "unknown_member",
        ),
        (f"{BODY}, repeat: {{until: round == 2}}", "{{ steps.s.output.m }}", "unknown_member"),
        (f"{BODY}, wait: false", "{{ steps.s.output.n }}", "unknown_member"),
    ],
)
def test_the_output_of_a_step_has_the_shape_of_its_repetition(fields: str, after: str, code: str) -> None:
    found = [(each.code, each.path) for each in read(fields, after).problems]
    assert found == [(code, "steps[2].message")]


@pytest.mark.parametrize(
    "after",
    ["{{ steps.s.output[0].error.code || steps.s.output[0].n }}", "{{ steps.s.output | length }}"],
)
def test_a_collected_list_has_outputs_and_errors(after: str) -> None:
    assert read(f"{BODY}, for_each: {{items: [1], on_error: collect}}", after).problems == []


@pytest.mark.parametrize(
    "fields",
    [
        f"{BODY}, repeat: {{until: round == 2, carry: {{text: §last.output.text}}}}",
        f"{BODY}, {EACH}, input_mapping: {{name: §company.name}}",
        f"{BODY}, for_each: {{items: [1], as: company, key: §company.id}}",
    ],
)
def test_a_path_without_braces_is_a_text_and_a_warning(fields: str) -> None:
    (problem,), at = located(fields)
    assert (problem.code, problem.severity, (problem.line, problem.column)) == ("not_a_template", "warning", at)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (f"{BODY}, for_each: {{items: [1], key: §no}}", "same_key"),
        (f"{BODY}, for_each: {{items: [1], key: §'{{{{ steps.draft.output }}}}'}}", "same_key"),
        (f"{BODY}, repeat: {{until: §1 == 2}}", "until_never_changes"),
        (f"{BODY}, repeat: {{until: §steps.draft.output == 2}}", "until_never_changes"),
    ],
)
def test_what_no_item_and_no_round_changes_is_a_warning(fields: str, code: str) -> None:
    (problem,), at = located(fields)
    assert (problem.code, problem.severity, (problem.line, problem.column)) == (code, "warning", at)


@pytest.mark.parametrize("text", ["company.", "last", "Company.name is new", "other.name", "last word."])
def test_a_text_that_only_begins_like_a_path_is_a_text(text: str) -> None:
    assert read(f"{BODY}, repeat: {{until: round == 2, carry: {{text: '{text}'}}}}").problems == []


def test_a_step_inside_a_body_is_read_by_an_output_of_the_step_around_it() -> None:
    found, at = located(f"{BODY}, repeat: {{until: §steps.read.output == round}}")
    (error,) = (problem for problem in found if problem.severity == "error")
    assert (error.code, (error.line, error.column)) == ("unknown_step", at)
    assert error.hint == "it is inside `s`: an output of `s` gives its value"


def test_of_bodies_with_steps_of_one_name_the_own_one_is_named() -> None:
    body = "type: sub_process, repeat: {until: steps.read.output == round}, steps: [{id: read, agent: w, message: x}]"
    source = f"name: p\nsteps:\n- {{id: one, {body}}}\n- {{id: two, {body}}}\n"
    hints = [problem.hint for problem in parse_definition(source).problems if problem.severity == "error"]
    assert hints == [f"it is inside `{name}`: an output of `{name}` gives its value" for name in ("one", "two")]


@pytest.mark.parametrize(
    ("mapping", "text", "codes"),
    [
        ("", "{{ input.n + 1 }}", ["may_be_null"]),
        ("", "{{ input.n.size }}", ["may_be_null"]),
        ("", "{{ (input.n || 0) + 1 }}", []),
        ("", "{{ input.n }}", []),
        ("input_mapping: {n: 0}, ", "{{ input.n + 1 }}", []),
    ],
)
def test_what_is_only_carried_is_null_in_the_first_round(mapping: str, text: str, codes: list[str]) -> None:
    repeat = 'repeat: {until: last.output.n == 3, carry: {n: "{{ last.output.n }}"}}'
    steps = f'steps: [{{id: a, agent: w, message: "{text}"}}], outputs: {{n: "{{{{ steps.a.output }}}}"}}'
    source = f"name: p\nsteps:\n- {{id: s, type: sub_process, {mapping}{repeat}, {steps}}}\n"
    assert [problem.code for problem in parse_definition(source).problems] == codes


@pytest.mark.parametrize(
    ("on_error", "codes"), [("fail", []), ("skip", ["may_be_null"]), ("skip, max_parallel: 2", ["may_be_null"])]
)
def test_an_item_that_may_have_been_skipped_may_be_null(on_error: str, codes: list[str]) -> None:
    for_each = f"for_each: {{items: [a, b], on_error: {on_error}}}"
    body = f'{for_each}, steps: [{{id: a, agent: w, message: x}}], outputs: {{m: "{{{{ steps.a.output }}}}"}}'
    after = '{id: t, agent: w, depends_on: s, message: "{{ steps.s.output[0].m }}"}'
    source = f"name: p\nsteps:\n- {{id: s, type: sub_process, {body}}}\n- {after}\n"
    assert [problem.code for problem in parse_definition(source).problems] == codes


@pytest.mark.parametrize(
    ("field", "value", "codes"),
    [
        ("{type: string, required: true}", "{{ input.note }}", ["may_be_null"]),
        ("{type: string, required: true}", "{{ input.note || 'none' }}", []),
        ("{type: string, required: true}", "Note {{ input.note }}", []),
        ("{type: string, default: none}", "{{ input.note }}", []),
        ("{type: string}", "{{ input.note }}", []),
    ],
)
def test_null_for_a_required_input_of_a_body_is_a_warning(field: str, value: str, codes: list[str]) -> None:
    body = f'input: {{n: {field}}}, input_mapping: {{n: "{value}"}}, steps: [{{id: a, agent: w, message: x}}]'
    source = f"name: p\ninput: {{note: {{type: string}}}}\nsteps:\n- {{id: s, type: sub_process, {body}}}\n"
    assert [problem.code for problem in parse_definition(source).problems] == codes


def test_a_step_of_a_body_depends_on_steps_of_the_body_alone() -> None:
    (problem,) = read("steps: [{id: a, agent: w, message: x, depends_on: draft}]").problems
    assert (problem.code, problem.path) == ("unknown_step", "steps[1].steps[0].depends_on")
    assert problem.hint == "it is outside: the step that holds this one depends on it"


def test_the_payload_of_a_webhook_is_outside_a_body() -> None:
    (problem,) = read("steps: [{id: a, agent: w, message: '{{ trigger.payload.text }}'}]").problems
    assert (problem.code, problem.severity, problem.path) == ("may_be_null", "warning", "steps[1].steps[0].message")
    assert problem.hint == "map what is needed by the `input_mapping` of `s`"


def test_a_body_without_outputs_gives_nothing() -> None:
    bare = "steps: [{id: a, agent: w, message: x}]"
    (problem,) = read(bare, "{{ steps.s.output }}").problems
    assert (problem.code, problem.severity, problem.path) == ("empty_output", "warning", "steps[2].message")
    (problem,) = read(f"{bare}, repeat: {{until: last.output.done == true}}").problems
    assert (problem.code, problem.hint) == ("unknown_member", "the steps inside it declare no `outputs`")
    assert read(bare).problems == []
