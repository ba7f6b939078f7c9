"""Patterns with lookaround in an output_schema: they hold as written for short texts, and long ones do not match."""

from typing import Any

import pytest

from domain.language.types.output_schema import compile_output_schema
from domain.language.types.schema_patterns import LONGEST_TRIED

NO_DIGIT = "^(?!.*[0-9])"
DRAFT_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"pattern": NO_DIGIT}, ["abc", "", 7, None, "a" * LONGEST_TRIED], ["a1", "a" * (LONGEST_TRIED + 1)]),
        ({"pattern": NO_DIGIT, "allOf": [{"minLength": 2}]}, ["ab"], ["a", "a1", "1"]),
        ({"not": {"pattern": NO_DIGIT}}, ["a1", "a" * (LONGEST_TRIED + 1)], ["ab"]),
        (DRAFT_4 | {"pattern": NO_DIGIT}, ["ab"], ["a1", "a" * (LONGEST_TRIED + 1)]),
        ({"properties": {"pattern": {"pattern": NO_DIGIT}}}, [{"pattern": "a"}], [{"pattern": "1"}]),
        ({"properties": {"enum": {"pattern": NO_DIGIT}}}, [{"enum": "a"}], [{"enum": "1"}]),
        ({"const": {"pattern": NO_DIGIT}}, [{"pattern": NO_DIGIT}], [{}]),
        ({"pattern": "^a+$"}, ["a" * 100_000], ["b"]),
        (
            {"properties": {"code": {"pattern": NO_DIGIT}, "text": {"type": "string"}}},
            [{"code": "a", "text": "x" * 100_000}],
            [{"code": "1", "text": "x"}],
        ),
    ],
)
def test_a_slow_pattern_holds_as_it_is_written_for_short_texts(
    schema: dict[str, Any], right: list[Any], wrong: list[Any]
) -> None:
    compiled = compile_output_schema(schema)
    assert [value for value in right if compiled.problems(value)] == []
    assert [value for value in wrong if not compiled.problems(value)] == []
    assert compiled.document == schema
