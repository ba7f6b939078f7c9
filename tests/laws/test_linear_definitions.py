"""Definitions of processes and agents are read, and values checked by schemas, in proportion to their length."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from domain.agents.kinds import parse_agent
from domain.language import parse_definition
from domain.language.expressions.conditions import parse_condition
from domain.language.expressions.templates import parse_template
from domain.language.types.output_schema import compile_output_schema
from tests.laws.growing import Growing

EXPRESSIONS: dict[str, Callable[[int], str]] = {
    "open holes": lambda n: "{{" * n,
    "holes": lambda n: "{{ input.a }}" * n,
    "open brackets": lambda n: "{{ " + "(" * n,
    "brackets": lambda n: "{{ " + "(" * n + "input.a" + ")" * n + " }}",
    "an open quote": lambda n: "{{ '" + "a" * n,
    "quotes": lambda n: "{{ " + "'a' " * n,
    "closed holes": lambda n: "}}" * n,
    "filters": lambda n: "{{ input.a" + " | upper" * n + " }}",
    "members": lambda n: "{{ input" + ".a" * n + " }}",
    "indexes": lambda n: "{{ input" + "[0]" * n + " }}",
    "alternatives": lambda n: "{{ input.a" + " || input.a" * n + " }}",
    "negations": lambda n: "{{ " + "!" * n + " input.a }}",
    "sums": lambda n: "{{ 1" + "+1" * n + " }}",
    "digits": lambda n: "{{ " + "9" * n + " }}",
    "escapes": lambda n: "{{ '" + "\\'" * n + "' }}",
    "unknown steps": lambda n: "{{ steps.zz.output }}" * n,
    "arguments": lambda n: "{{ input.a | default(" + "1," * n + "1) }}",
}
YAML: dict[str, Callable[[int], str]] = {
    "flow lists": lambda n: "[" * n,
    "flow objects": lambda n: "{a: " * n,
    "dashes": lambda n: "- " * n,
    "questions": lambda n: "? " * n,
    "indents": lambda n: "".join(" " * i + "a:\n" for i in range(n // 100)),
    "aliases": lambda n: "a: &a 1\n" + "".join(f"b{i}: *a\n" for i in range(n)),
    "anchors": lambda n: "".join(f"b{i}: &a{i} 1\n" for i in range(n)),
    "anchors of anchors": lambda n: (
        "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, n))
    ),
    "keys": lambda n: "".join(f"k{i}: 1\n" for i in range(n)),
    "one key again and again": lambda n: "a: 1\n" * n,
    "keys that are no text": lambda n: "".join(f"{i}: 1\n" for i in range(n)),
    "merge keys": lambda n: "a:\n" + "  <<: x\n" * n,
    "comments": lambda n: "# a\n" * n,
    "a long scalar": lambda n: "a: " + "x" * n,
    "many lines": lambda n: "a: |\n" + "  x\n" * n,
    "folded lines": lambda n: "a: >\n" + "  x\n" * n,
    "escapes": lambda n: 'a: "' + "\\x41" * n + '"',
    "tags": lambda n: "".join(f"- !t{i} 1\n" for i in range(n)),
    "a tab at the end": lambda n: "a: 1\n" * n + "\t",
    "documents": lambda n: "---\n" * n,
    "blanks": lambda n: " " * n + "a",
    "colons": lambda n: "a:" * n,
    "digits": lambda n: "a: " + "9" * n,
    "minutes of minutes": lambda n: "a: 1" + ":1" * n,
}


def _steps(step: Callable[[int], str]) -> Callable[[int], str]:
    return lambda n: "name: p\nsteps:\n" + "".join(f"  - {{{step(i)}}}\n" for i in range(n))


def _referring(at: int) -> str:
    return f"d{at}: {{$ref: '#/$defs/d{at + 1}'}}"


TASK = "agent: x, message: hi"
DEFINITIONS: dict[str, Callable[[int], str]] = {
    "a chain": _steps(lambda i: f"id: s{i}, {TASK}, depends_on: s{max(i - 1, 0)}"),
    "twenty needs each": _steps(
        lambda i: f"id: s{i}, {TASK}, depends_on: [{', '.join(f's{j}' for j in range(max(i - 20, 0), i))}]"
    ),
    "a cycle of all": lambda n: _steps(lambda i: f"id: s{i}, {TASK}, depends_on: s{(i + 1) % n}")(n),
    "a cycle of each two": _steps(lambda i: f"id: s{i}, {TASK}, depends_on: s{i ^ 1}"),
    "unknown needs": _steps(lambda i: f"id: s{i}, {TASK}, depends_on: z{i}"),
    "unknown references": _steps(lambda i: f"id: s{i}, agent: x, message: '{{{{ steps.z{i}.output }}}}'"),
    "references": _steps(
        lambda i: (
            f"id: s{i}, agent: x, message: '{{{{ steps.s{max(i - 1, 0)}.output }}}}', depends_on: s{max(i - 1, 0)}"
        )
    ),
    "one id": _steps(lambda i: f"id: s, {TASK}"),
    "misspelt fields": _steps(lambda i: f"idd: s{i}, agnt: x, mesage: hi"),
    "diversions": _steps(lambda i: f"id: s{i}, {TASK}, on_error: {{goto_step: s{i + 1}}}"),
    "compensations": _steps(lambda i: f"id: s{i}, {TASK}, compensation: {{agent: x, message: undo}}"),
    "bodies": _steps(
        lambda i: (
            f"id: s{i}, type: sub_process, for_each: {{items: '{{{{ steps.s{max(i - 1, 0)}.output }}}}', as: a}}, "
            f"steps: [{{id: a, agent: x, message: '{{{{ a }}}} {{{{ steps.s{i}.output }}}}'}}], outputs: {{a: b}}"
        )
    ),
    "calls": _steps(lambda i: f"id: s{i}, type: sub_process, process: q{i}, inputs: {{a: 1}}"),
}
FIELDS: dict[str, Callable[[int], str]] = {
    "unknown fields": lambda n: ", ".join(f"depends{i}: 1" for i in range(n)),
    "one need again and again": lambda n: f"depends_on: [{'a,' * n}a]",
    "parameters": lambda n: f"parameters: {{{', '.join(f'k{i}: 1' for i in range(n))}}}",
    "properties of a schema": lambda n: (
        f"output_schema: {{properties: {{{', '.join(f'k{i}: {{}}' for i in range(n))}}}}}"
    ),
    "kinds of a schema": lambda n: f"output_schema: {{enum: [{', '.join(f'{{a: {i}}}' for i in range(n))}]}}",
    "references of a schema": lambda n: f"output_schema: {{$defs: {{{', '.join(_referring(i) for i in range(n))}}}}}",
    "recipients": lambda n: f"type: notification, channel: email, recipients: [{','.join(['a@b.c'] * n)}]",
}
AGENTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "unknown keys": lambda n: {"kind": "http", "url": "http://a", **{f"k{i}": 1 for i in range(n)}},
    "headers": lambda n: {"kind": "http", "url": "http://a", "headers": {f"k{i}": "1" for i in range(n)}},
    "references": lambda n: {"kind": "http", "url": "http://a", "headers": {"authorization": "${A}" * n}},
    "labels of a host": lambda n: {"kind": "http", "url": "http://" + "a." * n},
    "answers out of range": lambda n: {"kind": "scripted", "script": "answers", "answers": [2**70] * n},
    "a kind": lambda n: {"kind": "x" * n},
}
TEXT = {"type": "string"}
CHECKED: dict[str, tuple[dict[str, Any], Callable[[int], Any]]] = {
    "a pattern that repeats repetitions": (TEXT | {"pattern": "^(a+)+$"}, lambda n: "a" * n + "b"),
    "a pattern that looks ahead": (TEXT | {"pattern": r"(?=(a+))\1b"}, lambda n: "a" * n),
    "a pattern that looks behind": (TEXT | {"pattern": "(?<!x)a+b"}, lambda n: "a" * n),
    "a pattern of a property": (
        {"properties": {"const": TEXT | {"pattern": r"(?=(a+))\1b"}}},
        lambda n: {"const": "a" * n},
    ),
    "a pattern in `not`": ({"not": {"pattern": r"(?=(a+))\1b"}}, lambda n: "a" * n),
    "a pattern of names": ({"patternProperties": {r"(?=(a+))\1b": False}}, lambda n: {"a" * n: 1}),
    "a pattern of an old draft": (
        {"$schema": "http://json-schema.org/draft-04/schema#", "pattern": r"(?=(a+))\1b"},
        lambda n: "a" * n,
    ),
    "unique items": ({"uniqueItems": True}, lambda n: [[i] for i in range(n)]),
    "items of another kind": ({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, lambda n: [1] * n),
    "members that are not allowed": ({"additionalProperties": False}, lambda n: {f"a{i}": 1 for i in range(n)}),
}


def _in_a_step(make: Callable[[int], str], field: str, n: int) -> str:
    first = {"id": "a", "agent": "x", "message": "m"}
    return json.dumps({"name": "p", "steps": [first, {**first, "id": "b", "depends_on": "a", field: make(n)}]})


def _bare(make: Callable[[int], str], n: int) -> str:
    return make(n).replace("{{", "").replace("}}", "")


def _one_step(make: Callable[[int], str], n: int) -> str:
    return f"name: p\nsteps:\n  - {{id: a, agent: x, message: m, {make(n)}}}\n"


def cases() -> Iterator[Growing]:
    """Yield every function with every input of its kind."""
    for name, text in EXPRESSIONS.items():
        yield Growing(f"template: {name}", parse_template, text, 4_000)
        yield Growing(f"condition: {name}", parse_condition, partial(_bare, text), 4_000)
        yield Growing(f"message: {name}", parse_definition, partial(_in_a_step, text, "message"), 2_000)
        yield Growing(
            f"condition of a step: {name}",
            parse_definition,
            partial(_in_a_step, partial(_bare, text), "condition"),
            2_000,
        )
    for name, text in YAML.items():
        yield Growing(f"YAML: {name}", parse_definition, text, 2_000)
    for name, text in DEFINITIONS.items():
        yield Growing(f"definition: {name}", parse_definition, text, 60)
    for name, text in FIELDS.items():
        yield Growing(f"step: {name}", parse_definition, partial(_one_step, text), 1_000)
    for name, config in AGENTS.items():
        yield Growing(f"agent: {name}", partial(parse_agent, "a"), config, 1_000)
    for name, (schema, value) in CHECKED.items():
        yield Growing(f"schema: {name}", compile_output_schema(schema).problems, value, 20_000)


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    case.require_linear()
