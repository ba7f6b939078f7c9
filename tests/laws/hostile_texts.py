"""Inputs that a hostile sender could send, by kind; each grows with its size."""

from collections.abc import Callable
from typing import Any

JSON: dict[str, Callable[[int], bytes]] = {
    "numbers": lambda n: b"[" + b"1," * n + b"1]",
    "lists in lists": lambda n: b"[" * n,
    "objects in objects": lambda n: b'{"a":' * n,
    "a long key above many values": lambda n: b'{"' + b"k" * n + b'":[' + b"0," * n + b"0]}",
    "a long key above many keys": lambda n: b'{"%s":{%s}}' % (b"k" * n, b",".join(b'"%d":0' % i for i in range(n))),
    "numbers out of range": lambda n: b"[" + b"1e999," * n + b"1]",
    "NUL": lambda n: b"[" + b'"\\u0000",' * n + b"1]",
    "digits": lambda n: b"9" * n,
    "decimals": lambda n: b"1." + b"9" * n,
    "backslashes": lambda n: b'"' + b"\\\\" * n + b'"',
    "halves of characters": lambda n: b'"' + b"\\ud800" * n + b'"',
    "one key again and again": lambda n: b"{" + b'"a":1,' * n + b'"a":1}',
    "blanks": lambda n: b" " * n,
    "an open text": lambda n: b'"' + b"a" * n,
}
SHORT_TEXTS: dict[str, Callable[[int], str]] = {
    "digits": lambda n: "9" * n,
    "blanks": lambda n: " " * n + "1",
    "commas": lambda n: "," * n,
    "a date and a zone": lambda n: "Wed, 21 Oct 2015 07:28:00 +" + "9" * n,
    "brackets": lambda n: "(" * n,
    "colons": lambda n: "1:" * n,
    "dots": lambda n: "a." * n,
    "signs": lambda n: "+-" * n,
    "instants": lambda n: "2026-01-01T" * n,
    "a period": lambda n: "P" + "1D" * n,
    "hours": lambda n: "1h" * n,
    "slashes": lambda n: "*/" * n,
    "ranges": lambda n: "1-2," * n,
    "at signs": lambda n: "a@" * n,
    "angles": lambda n: "a " * n + "<a@b>",
    "quotes": lambda n: '"' * n,
    "letters": lambda n: "é" * n,
    "an address": lambda n: "http://" + "a:" * n + "@h",
    "percent": lambda n: "%41" * n,
    "escapes": lambda n: 'a="' + '\\"' * n + '"',
}
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
