"""The names that the editor suggests in expressions."""

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
