"""Sensitive fields in the language: where the marks may stand, and the paths that they give."""

from typing import Any

import pytest

from domain.language import parse_definition
from domain.language.types.sensitive import sensitive_fields, sensitive_paths

DEFINITION = """
name: patient
input:
  ssn: {type: string, sensitive: SENSITIVE}
  city: {type: string}
steps:
  - id: assess
    agent: writer
    message: x
    output_schema: SCHEMA
    compensation: {agent: writer, message: y, output_schema: {type: object, properties: {a: {x-sensitive: true}}}}
"""


def parsed(schema: str, sensitive: str = "true") -> Any:
    return parse_definition(DEFINITION.replace("SENSITIVE", sensitive).replace("SCHEMA", schema))


def test_marks_give_the_paths_below_input_and_outputs() -> None:
    found = parsed(
        "{type: object, properties: {a: {type: array, items: {x-sensitive: true}}, b: {x-sensitive: false},"
        " x-sensitive: {type: string}}, additionalProperties: {properties: {c: {x-sensitive: true}}}}"
    )
    assert not found.errors, found.errors
    fields = sensitive_fields(found.definition)
    assert fields.input == (("ssn",),)
    assert set(fields.outputs["assess"]) == {("a", "*"), ("*", "c")}
    assert fields.outputs["assess.compensation"] == (("a",),)


@pytest.mark.parametrize(
    ("schema", "sensitive", "code", "line"),
    [
        ("{type: object}", '"yes"', "wrong_type", 4),
        ('{x-sensitive: "yes"}', "true", "wrong_type", 10),
        ("{anyOf: [{x-sensitive: true}]}", "true", "sensitive_misplaced", 10),
        ("{$defs: {a: {x-sensitive: true}}, $ref: '#/$defs/a'}", "true", "sensitive_misplaced", 10),
        ("{type: object, patternProperties: {a: {x-sensitive: true}}}", "true", "sensitive_misplaced", 10),
    ],
)
def test_marks_at_places_that_are_not_read_are_problems(schema: str, sensitive: str, code: str, line: int) -> None:
    [problem] = parsed(schema, sensitive).errors
    assert (problem.code, problem.line) == (code, line)


def test_a_stored_schema_with_a_mark_that_is_not_read_hides_the_whole_output() -> None:
    assert sensitive_paths({"anyOf": [{"x-sensitive": True}]}) == ((),)
    assert sensitive_paths({"enum": [{"x-sensitive": True}]}) == ()


BODIES = """
name: patients
input: {ssn: {type: string, sensitive: true}, patients: {type: array, sensitive: true}, city: {type: string}}
steps:
- id: one
  type: sub_process
  input_mapping: {number: "No. {{ input.ssn }}", city: "{{ input.city }}"}
  steps:
  - id: inner
    type: sub_process
    input_mapping: {again: "{{ input.number }}", all: "{{ input.city }}"}
    steps: [{id: a, agent: w, message: x, output_schema: {properties: {b: {x-sensitive: true}}}}]
- id: each
  type: sub_process
  for_each: {items: "{{ input.patients }}", as: patient}
  steps: [{id: a, agent: w, message: x}]
- id: declared
  type: sub_process
  input: {pin: {sensitive: true}, x: {}}
  input_mapping: {x: "{{ input.ssn }}"}
  steps: [{id: a, agent: w, message: x}]
- id: harmless
  type: sub_process
  input_mapping: {x: "{{ input.city }}"}
  steps: [{id: a, agent: w, message: x}]
"""


def test_a_body_that_is_given_a_sensitive_value_keeps_it_sensitive() -> None:
    definition = parse_definition(BODIES).definition
    assert definition is not None
    fields = sensitive_fields(definition)
    assert set(fields.bodies) == {"one", "one/inner", "each", "declared"}
    assert fields.within("one").input == (("number",),)
    assert fields.within("one/inner").input == (("again",),)
    assert fields.within("one/inner").outputs == {"a": (("b",),)}
    assert fields.within("each").input == (("patient",),)
    assert fields.within("declared").input == (("pin",),)
    assert not fields.within("harmless").any
    assert fields.within("") is fields
    assert fields.any_output
