"""A definition with a step that holds steps, whose fields tests write."""

from domain.language import Parsed, parse_definition
from domain.refusal import Problem

BODY = "steps: [{id: read, agent: w, message: x}], outputs: {text: '{{ steps.read.output }}', n: 1}"
SOURCE = """\
name: p
input:
  topic: {{type: string, required: true}}
  companies: {{type: array, required: true}}
  n: {{type: integer, default: 1}}
steps:
- {{id: draft, agent: w, message: x}}
- {{id: s, type: sub_process, depends_on: draft, {fields}}}
- {{id: after, agent: w, depends_on: s, message: "{after}"}}
"""


def read(fields: str, after: str = "x") -> Parsed:
    return parse_definition(SOURCE.format(fields=fields, after=after))


def located(marked: str, after: str = "x") -> tuple[list[Problem], tuple[int, int]]:
    """Return the problems of a text without its `§`, and the line and column of that mark."""
    text = SOURCE.format(fields=marked, after=after)
    before = text[: text.index("§")]
    found = parse_definition(text.replace("§", "")).problems
    return found, (before.count("\n") + 1, len(before) - before.rfind("\n"))
