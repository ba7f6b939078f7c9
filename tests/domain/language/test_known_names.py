"""The names that the editor suggests in expressions."""

import pytest

from domain.language import parse_definition
from domain.language.editing.names import known_names

SOURCE = """
name: names
input: {amount: {type: number}, note: string}
steps:
  - {id: ask, type: human_approval, title: Out?, approvers: [ann]}
  - id: write
    agent: writer
    message: "{{ steps.ask.outptu }}"
    output_schema:
      type: object
      properties: {parts: {type: array, items: {type: object, properties: {size: {type: integer}}}}}
"""


def test_a_text_with_errors_states_its_inputs_steps_and_outputs() -> None:
    parsed = parse_definition(SOURCE)
    assert parsed.definition is None
    assert parsed.root is not None

    found = known_names(parsed.root)

    assert found.roots["input"].members["amount"].kind == "a number or null"
    assert {"execution", "process", "trigger", "input"} == set(found.roots)
    assert "decision" in found.steps["ask"].members
    parts = found.steps["write"].members["parts"].item
    assert parts is not None
    assert parts.members["size"].kind == "a number"
    assert {"output", "status", "error"} <= set(found.step)
    assert {"default", "length"} <= set(found.filters)


LOOP = """
name: loop
input: {topic: {type: string}, companies: {type: array}}
steps:
- id: review
  type: sub_process
  repeat:
    until: round > 2
    carry: {text: "{{ last.output.text }}"}
  steps:
  - id: revise
    agent: writer
    message: "{{ input.text }}"
  outputs:
    text: "{{ steps.revise.output }}"
- id: each
  type: sub_process
  for_each:
    items: "{{ input.companies }}"
    as: company
  steps:
  - id: read
    agent: writer
    message: "{{ input.company }}"
- id: end
  agent: writer
  message: "{{ steps.each.output }}"
"""


@pytest.mark.parametrize(
    ("line", "roots", "inputs", "steps"),
    [
        (3, set(), {"topic", "companies"}, {"review", "each", "end"}),
        (7, {"round", "last"}, {"topic", "companies"}, {"review", "each", "end"}),
        (12, set(), {"text"}, {"revise"}),
        (15, set(), {"text"}, {"revise"}),
        (16, set(), {"topic", "companies"}, {"review", "each", "end"}),
        (19, {"company"}, {"topic", "companies"}, {"review", "each", "end"}),
        (24, set(), {"company"}, {"read"}),
        (27, set(), {"topic", "companies"}, {"review", "each", "end"}),
    ],
)
def test_each_line_of_a_text_with_bodies_has_names_of_its_own(
    line: int, roots: set[str], inputs: set[str], steps: set[str]
) -> None:
    root = parse_definition(LOOP).root
    assert root is not None
    names = known_names(root)
    scope = next((each for each in reversed(names.scopes) if each.line <= line), names)
    assert scope.roots.keys() - {"input", "execution", "process", "trigger"} == roots
    assert set(scope.roots["input"].members) == inputs
    assert set(scope.steps) == steps
    if "last" in roots:
        assert set(scope.roots["last"].members["output"].members) == {"text"}
