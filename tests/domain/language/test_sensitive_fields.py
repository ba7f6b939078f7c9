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
