"""Laws of templates: rendering undoes parametrising, and no answer gives more than its own text."""

import json
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.jsonvalue import JsonValue
from domain.language import parse_definition
from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.language.expressions import parse_value
from domain.templates.answers import check_answers
from domain.templates.parametrising import parametrise
from domain.templates.reading import read_template
from domain.templates.substitution import render
from domain.templates.template import Template

TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="{}$'\"\\ #:-|>&*!%@`\n\t\r\u2028\x07a1.\U0001f600[],", max_size=30),
    st.sampled_from(
        [
            "{{ steps.a.output }}",
            "${{ parameters.note }}",
            "\n  - {id: evil, agent: x, message: m}",
            "steps.a.output",
            "' or true or '",
            "null",
            "~",
            "0x10",
            "{{",
            "}}",
            "'}} {{ input.topic }} {{'",
        ]
    ),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ANY_PLACE = """
template:
  id: hostile
  parameters:
    note: {type: string}
    topics: {type: array}
    facts: {type: object}
    limit: {type: number}
    strict: {type: boolean}
  samples:
    - {note: ok, topics: [a], facts: {a: 1}, limit: 3, strict: true}
process:
  name: hostile
  description: A ${{ parameters.note }} in text   # a comment
  input:
    topic: {type: string, default: "${{ parameters.note }}", description: '${{ parameters.note }}!'}
  steps:
    - id: a
      agent: writer
      message: |
        {${{ parameters.note }}{{ input.topic }}${{ parameters.note }}{
        ${{ parameters.topics }} ${{ parameters.facts }} ${{ parameters.limit }}
      parameters:
        whole: ${{ parameters.note }}
        facts: ${{ parameters.facts }}
        single: "{{ input.topic | default('${{ parameters.note }}') }}"
        double: '{{ input.topic | default("${{ parameters.note }}") }}'
        code: "{{ input.topic == ${{ parameters.note }} }}{${{ parameters.strict }}"
        folded: >-
          a ${{ parameters.note }}
          b
    - id: b
      agent: writer
      message: plain ${{ parameters.note }}${{ parameters.note }} text
      depends_on: a
      condition: input.topic != ${{ parameters.note }} and ${{ parameters.strict }} or 1 < ${{ parameters.limit }}
  outputs:
    a: ${{ parameters.note }}
    b: "${{ parameters.note }}.${{ parameters.note }}"
    c: ${{ parameters.topics }}
"""
# Rules of the language about values: a text of a certain length, an empty one.
ABOUT_VALUES = {"expression_too_long"}


def hostile() -> Template:
    """Return the template above."""
    reading = read_template(ANY_PLACE)
    assert reading.template is not None, reading.problems
    return reading.template


HOSTILE = hostile()


@settings(max_examples=60, deadline=None)
@given(
    note=TEXTS,
    topics=st.lists(VALUES, max_size=3),
    facts=st.dictionaries(TEXTS, VALUES, max_size=3),
    limit=st.floats(0, 1e300) | st.integers(0, 2**63 - 1),
    strict=st.booleans(),
)
def test_no_answer_gives_more_than_its_own_text(
    note: str, topics: list[JsonValue], facts: dict[str, JsonValue], limit: float, strict: bool
) -> None:
    answers: Mapping[str, JsonValue] = {
        "note": note,
        "topics": topics,
        "facts": facts,
        "limit": limit,
        "strict": strict,
    }
    checked = check_answers(HOSTILE.parameters, answers)
    if checked.problems:
        assert {problem.code for problem in checked.problems} <= {"nul_character", "lone_surrogate"}
        return

    made = render(HOSTILE, checked.values)

    assert document_of(made.yaml) == made.document
    parsed = parse_definition(made.yaml)
    assert {problem.code for problem in parsed.errors} <= ABOUT_VALUES
    assert isinstance(made.document, dict)
    assert [step["id"] for step in made.document["steps"]] == ["a", "b"]  # type: ignore[index, call-overload]
    assert {agent.name for agent in parsed.agents} == {"writer"}
    if parsed.definition is not None:
        # Nothing is in the scope: each expression that a value made would fail.
        outputs = {output.name: parse_value(output.source).render({}) for output in parsed.definition.outputs}
        assert outputs == {"a": note, "b": f"{note}.{note}", "c": topics}
        assert parsed.definition.description == f"A {note} in text"


@settings(max_examples=40, deadline=None)
@given(value=VALUES, style=st.sampled_from(["flow", "block"]), note=TEXTS)
def test_rendering_undoes_parametrising(value: JsonValue, style: str, note: str) -> None:
    source = _definition(value, note, style)
    try:
        document = document_of(source)
    except EditRefused:
        return
    kind = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    requests = {"it": {"path": "input.topic.default", "type": kind.get(type(value), "string")}}

    made = parametrise(source, requests)  # type: ignore[arg-type]

    if made.problems or made.removed:
        return
    template = Template("a-1", "A", "", (), None, None, 1, made.parameters, (made.sample,), made.text)
    again = render(template, made.sample)
    assert again.document == document
    before, _, after = source.partition("default: ")
    assert again.yaml.startswith(before)
    assert again.yaml.endswith(after.partition("# the end")[2])


def _definition(value: JsonValue, note: str, style: str) -> str:
    written = json.dumps(value)
    field = f"{{type: string, default: {written}}}" if style == "flow" else f"\n    default: {written}"
    return (
        f"# top\nname: a\ninput:\n  topic: {field} # the end\nsteps:\n"
        f"  - {{id: a, agent: w, message: {json.dumps(note)}}}  # kept\n"
    )
