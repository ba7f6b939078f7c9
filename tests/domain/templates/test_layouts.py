"""Whatever the layout of a template's text is, the rendered text is exactly the rendered document."""

import json

import pytest

from domain.jsonvalue import JsonValue
from domain.language import parse_definition
from domain.language.editing.edits import document_of
from domain.templates.answers import check_answers
from domain.templates.printing import print_template
from domain.templates.reading import read_template
from domain.templates.substitution import render

HEAD = "template: {id: a, parameters: {x: {type: string}, n: {type: integer, default: 3}}, samples: [{x: hi}]}\n"
DOCUMENT: JsonValue = {
    "template": {"id": "a", "parameters": {"x": {"type": "string"}}, "samples": [{"x": "hi"}]},
    "process": {
        "name": "a",
        "steps": [{"id": "s", "agent": "w", "message": "\U0001f600 \u2028 ${{ parameters.x }}", "depends_on": []}],
    },
}
BLOCK = HEAD + (
    "# between\n\nprocess:\n    # deep\n    name: a\n    steps:\n    -   id: s\n        agent: w\n"
    "        message: >-\n            one ${{ parameters.x }}\n            two\n"
    "        retry: {max_attempts: '${{ parameters.n }}'}\n"
)
LAYOUTS = {
    "block": BLOCK,
    "windows": BLOCK.replace("\n", "\r\n"),
    "without a last line break": BLOCK.rstrip("\n"),
    "process first": BLOCK.removeprefix(HEAD) + HEAD,
    "flow": HEAD
    + 'process: {name: a, steps: [{id: s, agent: w, message: "${{ parameters.x }}${{ parameters.n }}"}]}\n',
    "anchors": HEAD
    + (
        "process:\n  name: a\n  steps:\n    - {id: s, agent: w, message: &m '${{ parameters.x }}${{ parameters.n }}'}\n"
        "    - {id: t, agent: w, message: *m, depends_on: s}\n"
    ),
    "an anchor above": (
        HEAD.replace("{id: a,", "{id: a, description: &d about,")
        + "process:\n  name: a\n  description: *d\n  steps:\n"
        + "    - {id: s, agent: w, message: '${{ parameters.x }}${{ parameters.n }}'}\n"
    ),
    "JSON": json.dumps(DOCUMENT),
    "JSON of many lines": json.dumps(DOCUMENT, indent=2, ensure_ascii=False),
}
ANSWERS = ("hi", "{{ input.a }}", "a\nb", "\u2028", "# c", "'", '"', "x: y", "\U0001f600", " ", "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_text_is_the_document(layout: str) -> None:
    reading = read_template(LAYOUTS[layout])
    template = reading.template
    assert template is not None, reading.problems

    for answer in ANSWERS:
        made = render(template, check_answers(template.parameters, {"x": answer}).values)

        assert document_of(made.yaml) == made.document
        assert parse_definition(made.yaml).errors == []
        assert "parameters." not in made.yaml
    again = read_template(print_template(template)).template
    assert again is not None
    assert document_of(again.process_text) == document_of(template.process_text)


def test_comments_in_a_process_stay() -> None:
    template = read_template(BLOCK).template
    assert template is not None

    assert render(template, {"x": "hi", "n": 5}, "b").yaml == (
        "# deep\nname: b\nsteps:\n-   id: s\n    agent: w\n"
        "    message: >-\n        one hi\n        two\n    retry: {max_attempts: 5}\n"
    )
