"""Members that an object may lack: a warning, which a fallback, a guard or a stricter schema ends."""

import pytest

from domain.language import parse_definition

SCHEMA = """{type: object, required: [kind, parts], properties: {
  kind: {type: string, enum: [short, long]}, score: {type: number}, note: {type: string},
  parts: {type: array, maxItems: 2, items: {type: object, properties: {name: {type: string}}}}}}"""
READ = "steps.a.output.note"


def found(rest: str, schema: str = SCHEMA) -> list[tuple[str, str]]:
    source = f"name: p\nsteps:\n- {{id: a, agent: w, message: x, output_schema: {schema}}}\n{rest}\n"
    return [(each.severity, each.code) for each in parse_definition(source).problems]


def reading(expression: str, more: str = "") -> str:
    return f'- {{id: b, agent: w, depends_on: a, message: "{{{{ {expression} }}}}"{more}}}'


@pytest.mark.parametrize(
    "rest",
    [
        reading(READ),
        reading("steps.a.output.parts[0].name"),
        f"- {{id: b, agent: w, depends_on: a, message: x, condition: {READ} != null}}",
        f"- {{id: b, agent: w, depends_on: a, message: x, parameters: {{n: ['{{{{ {READ} }}}}']}}}}",
        f"outputs: {{n: '{{{{ {READ} }}}}'}}",
        reading(READ, ", condition: steps.a.output.score > 3").replace("score", "score || 0"),
    ],
)
def test_an_optional_member_that_is_read_is_a_warning(rest: str) -> None:
    assert found(rest) == [("warning", "may_be_missing")]


@pytest.mark.parametrize(
    "rest",
    [
        reading(f"{READ} | default('')"),
        reading(f"{READ} || steps.a.output.kind"),
        reading("steps.a.output.kind"),
        reading("steps.a.output"),
        # What is there may follow from another member, or from the member itself.
        reading(READ, ", condition: steps.a.output.kind == 'long'"),
        reading(READ, f", condition: ({READ} | default(null)) != null"),
        reading(READ, ", condition: \"'note' in (steps.a.output | keys)\""),
    ],
)
def test_a_fallback_or_a_condition_that_tells_answers_apart_ends_the_warning(rest: str) -> None:
    assert found(rest) == []


@pytest.mark.parametrize(
    "schema",
    [
        "{type: object, required: [note], properties: {note: {type: string}}}",
        "{type: object, additionalProperties: true, properties: {note: {type: string}}}",
        "{type: object, dependentRequired: {kind: [note]}, properties: {note: {type: string}}}",
        "{anyOf: [{type: object, required: [note]}], properties: {note: {type: string}}}",
        "{type: object, enum: [{note: x}], properties: {note: {type: string}}}",
    ],
)
def test_a_schema_that_may_name_the_member_elsewhere_gives_no_warning(schema: str) -> None:
    assert found(reading(READ), schema) == []


@pytest.mark.parametrize(("on_error", "codes"), [("collect", ["may_be_missing"]), ("fail", [])])
@pytest.mark.parametrize("expression", ["steps.all.output[0].text", "item.text"])
def test_an_item_that_is_collected_may_be_an_error_alone(on_error: str, codes: list[str], expression: str) -> None:
    source = f"""name: p
steps:
- id: all
  type: sub_process
  for_each: {{items: [1, 2], as: n, on_error: {on_error}}}
  steps: [{{id: i, agent: w, message: x}}]
  outputs: {{text: "{{{{ steps.i.output }}}}"}}
"""
    if expression.startswith("steps"):
        source += f'- {{id: z, agent: w, depends_on: all, message: "{{{{ {expression} }}}}"}}\n'
    else:
        source += f"""- id: z
  type: sub_process
  depends_on: all
  for_each: {{items: "{{{{ steps.all.output }}}}", as: item}}
  input_mapping: {{it: "{{{{ {expression} }}}}"}}
  steps: [{{id: i, agent: w, message: "{{{{ input.it }}}}"}}]
"""
    assert [each.code for each in parse_definition(source).problems] == codes


@pytest.mark.parametrize(("at", "codes"), [(1, []), (2, [("warning", "unknown_member")])])
def test_an_index_beyond_every_list_is_a_warning(at: int, codes: list[tuple[str, str]]) -> None:
    assert found(reading(f"steps.a.output.parts[{at}]")) == codes


def test_an_index_beyond_a_list_that_is_written_down_is_a_warning() -> None:
    source = """name: p
steps:
- id: call
  type: sub_process
  input_mapping: {words: [one, two]}
  steps: [{id: i, agent: w, message: "{{ input.words[1] }} {{ input.words[2] }}"}]
"""
    assert [(each.severity, each.code) for each in parse_definition(source).problems] == [("warning", "unknown_member")]
