"""Reading text into a definition: what scalars mean, what is refused, and that hostile text is refused quickly."""

import json
import time
from typing import Any

import pytest

from domain.language import Parsed, parse_definition

STEP = "steps: [{id: a, agent: writer, message: hi, parameters: {value: %s}}]"


def codes(parsed: Parsed) -> set[str]:
    return {problem.code for problem in parsed.problems}


def value_of(scalar: str) -> Any:
    parsed = parse_definition("name: p\n" + STEP % scalar)
    assert parsed.definition is not None, parsed.problems
    return parsed.definition.steps[0].parameters["value"]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("09:00", "09:00"),
        ("2024-01-31", "2024-01-31"),
        ("1_000", "1_000"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("007", 7),
        ("0o17", 15),
        ("0xff", 255),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("'7'", "7"),
        ('"true"', "true"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_scalars_mean_what_the_core_schema_says(scalar: str, value: Any) -> None:
    read = value_of(scalar)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("scalar", ["9223372036854775808", "1e999", ".inf", "-.inf", ".nan", "9" * 5000])
def test_numbers_that_cannot_be_kept_are_refused(scalar: str) -> None:
    parsed = parse_definition("name: p\n" + STEP % scalar)
    assert [(p.code, p.path, p.line) for p in parsed.errors] == [
        ("number_out_of_range", "steps[0].parameters.value", 2)
    ]
    assert parsed.name == "p"


def test_json_is_read_too() -> None:
    document = {
        "name": "p",
        "description": "caf\u00e9 \U0001f600 \\ud83d\\ude00 / \u2028 \x85 \x7f",
        "steps": [{"id": "a", "agent": "writer", "message": "hi\n", "parameters": {"x": [1, 1.5, None, True]}}],
    }
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=2)):
        definition = parse_definition(text).definition
        assert definition is not None
        assert definition.description == document["description"]
        assert definition.steps[0].parameters == {"x": [1, 1.5, None, True]}


def test_anchors_are_unfolded() -> None:
    source = "name: p\nsteps:\n- &first {id: a, agent: w, message: &m hi}\n- {id: b, agent: w, message: *m}\n"
    definition = parse_definition(source).definition
    assert definition is not None
    assert [step.message for step in definition.steps] == ["hi", "hi"]


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("name: [", "yaml_syntax", 2, 1),
        ("name: p\n\tx: 1", "yaml_syntax", 2, 1),
        ("a: \x00", "unprintable_character", 1, 4),
        ("name: p\nb: \x07", "unprintable_character", 2, 4),
        (b"name: p\nx: \xff", "not_utf8", 2, 1),
        ("name: p\nx: \ud800", "not_utf8", 2, 4),
        ('name: "\\ud800"', "yaml_syntax", 1, 10),
        ("a: *nobody", "unknown_anchor", 1, 4),
        ("a: &a [1, *a]", "recursive_anchor", 1, 11),
        ("[" * 100_000, "too_deep", 1, 1),
        ("", "not_a_mapping", 1, 1),
        ("just text", "not_a_mapping", 1, 1),
        ("[1, 2]", "not_a_mapping", 1, 1),
    ],
)
def test_what_cannot_be_read_is_no_draft_either(source: str | bytes, code: str, line: int, column: int) -> None:
    parsed = parse_definition(source)
    assert [(p.code, p.line, p.column) for p in parsed.errors] == [(code, line, column)]
    assert parsed.fatal


@pytest.mark.parametrize(
    ("source", "code", "path", "line"),
    [
        ("name: p\nowner: a\nowner: b\n", "duplicate_key", "owner", 3),
        ("name: p\n7: b\n", "key_not_text", "", 2),
        ("name: p\n? [a, b]\n: c\n", "key_not_text", "", 2),
        ("name: p\nowner: !ruby x\n", "tag", "owner", 2),
        ("name: p\nowner: !!str 5\n", "tag", "owner", 2),
        ('name: p\nowner: "a\\0b"\n', "nul_character", "owner", 2),
        ("name: p\n---\nname: q\n", "many_documents", "", 2),
    ],
)
def test_some_problems_of_the_text_leave_a_draft(source: str, code: str, path: str, line: int) -> None:
    parsed = parse_definition(source)
    assert (code, path, line) in [(p.code, p.path, p.line) for p in parsed.errors]
    assert parsed.name == "p"
    assert parsed.definition is None


def _bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines)


def _chain(schema: str, last: str) -> str:
    parts = ", ".join(f"a{i}: {schema.replace('NEXT', f'#/$defs/a{i + 1}')}" for i in range(2_000))
    schema_text = f"{{$defs: {{{parts}, a2000: {last}}}, $ref: '#/$defs/a0'}}"
    return f"name: p\nsteps:\n- {{id: a, agent: w, message: hi, output_schema: {schema_text}}}\n"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (_bomb(), "too_many_nodes"),
        ("a: &a " + "x" * 60_000 + "\nb: [" + "*a, " * 40 + "]", "too_large"),
        ("a: [" + "1," * 500_000 + "]", "too_many_nodes"),
        ("".join(f"k{i}: 1\n" for i in range(60_000)), "too_many_nodes"),
        ("a: " + "x" * 10_000_000, "too_large"),
        (b"\xf0\x9f\x98\x80" * 300_000, "too_large"),
        ("\U0001f600" * 300_000, "too_large"),
        ("{a: " * 100_000, "too_deep"),
        ("- " * 100_000, "too_deep"),
        (
            "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[[[[[[[[[[*a" + "]" * 25,
            "too_deep",
        ),
        ("? " * 100_000, "key_not_text"),
        ("name: p\ndescription: " + "x" * 1_000_000, "too_long"),
        ("x" * 1_000_000 + ": 1", "yaml_syntax"),
        ("a: 1\n" * 24_000, "duplicate_key"),
        ("name: p\nlabels: [" + "1," * 49_000 + "]", "wrong_type"),
        ("".join(f"k{i}: !x 1\n" for i in range(20_000)), "tag"),
        ("'" * 999_999, "yaml_syntax"),
        ("*a " * 100_000, "unknown_anchor"),
        (_chain("{$ref: 'NEXT'}", "{}"), "invalid_output_schema"),
        (_chain("{allOf: [{$ref: 'NEXT'}, {$ref: 'NEXT'}]}", "{}"), "invalid_output_schema"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_hostile_text_is_refused_quickly(source: str | bytes, code: str) -> None:
    began = time.process_time()
    parsed = parse_definition(source)
    assert time.process_time() - began < 60  # of this process, whatever else the machine does
    assert code in codes(parsed)
    assert parsed.definition is None
    assert len(parsed.problems) <= 310


def test_a_byte_order_mark_is_no_character_of_the_text() -> None:
    assert parse_definition(b"\xef\xbb\xbfname: p\n").name == "p"
