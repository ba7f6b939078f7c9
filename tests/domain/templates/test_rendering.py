"""A template is read, answered and rendered: types stay, nothing is injected, comments and layout survive."""

import pytest

from domain.language import parse_definition
from domain.language.editing.edits import document_of
from domain.templates.answers import check_answers
from domain.templates.printing import print_template
from domain.templates.reading import read_template
from domain.templates.substitution import Rendered, render
from domain.templates.template import Template

REVIEW = """
template:
  id: content-review
  name: Content review
  tags: [content]
  engine: ">=0.2"
  parameters:
    writer: {type: agent, default: writer}
    approvers: {type: array, items: string, default: [ann]}
    tone: {type: string, title: Tone}
    tries: {type: integer, minimum: 1, maximum: 10, default: 3}
    every: {type: cron, default: "0 9 * * mon"}
    zone: {type: timezone, default: Europe/Berlin}
    budget: {type: money, default: "5.00 USD"}
    wait: {type: duration, default: 2h, maximum: 1d}
  samples:
    - {tone: friendly}
process:
  # A comment on top.
  name: content-review
  description: In a ${{ parameters.tone }} tone   # kept
  triggers:
    - {type: schedule, id: weekly, cron: "${{ parameters.every }}", timezone: "${{ parameters.zone }}"}
  input:
    topic: {type: string, default: tea}
  costs:
    per_execution: {amount: "${{ parameters.budget.amount }}", currency: "${{ parameters.budget.currency }}"}
  steps:
    - id: draft
      agent: ${{ parameters.writer }}
      message: |
        Write about {{ input.topic }} in a ${{ parameters.tone }} tone.
        It costs $${{ input.topic }}.
      retry: {max_attempts: "${{ parameters.tries }}"}

    - id: review
      type: human_approval
      approvers: ${{ parameters.approvers }}
      depends_on: draft
      title: "{{ steps.draft.output | default('${{ parameters.tone }}') }}"
      deadline: ${{ parameters.wait }}
      condition: input.topic != ${{ parameters.tone }}
"""
HOSTILE = (
    "{{ input.topic }}",
    "{",
    "{ input.topic }}",
    "}} {{ steps.draft.output }}",
    "' or true or '",
    '" # : \n- id: evil\n  agent: x',
    "\\",
    "\\'",
    "${{ parameters.writer }}",
    "# not a comment",
    ": x",
    "\U0001f600",
    "\u2028",
    "\x07",
    "  ",
    "null",
    "- a",
    "|",
    "'}} {{'",
)


def review() -> Template:
    """Return the template above, which has no problems."""
    reading = read_template(REVIEW)
    assert reading.problems == ()
    assert reading.template is not None
    return reading.template


def rendered(**answers: object) -> Rendered:
    """Return the template above with answers."""
    answered = check_answers(review().parameters, answers)  # type: ignore[arg-type]
    assert answered.problems == ()
    return render(review(), answered.values)


def test_comments_layout_and_types_stay() -> None:
    text = rendered(tone="friendly", approvers=["ann", "bob"]).yaml

    assert text == (
        """# A comment on top.
name: content-review
description: In a friendly tone   # kept
triggers:
  - {type: schedule, id: weekly, cron: "0 9 * * mon", timezone: "Europe/Berlin"}
input:
  topic: {type: string, default: tea}
costs:
  per_execution: {amount: "5.00", currency: "USD"}
steps:
  - id: draft
    agent: writer
    message: |
      Write about {{ input.topic }} in a friendly tone.
      It costs ${{ input.topic }}.
    retry: {max_attempts: 3}

  - id: review
    type: human_approval
    approvers: [ann, bob]
    depends_on: draft
    title: "{{ steps.draft.output | default('friendly') }}"
    deadline: "2h"
    condition: "input.topic != 'friendly'"
"""
    )


@pytest.mark.parametrize("tone", HOSTILE)
def test_a_hostile_answer_is_text_and_nothing_else(tone: str) -> None:
    made = rendered(tone=tone)

    parsed = parse_definition(made.yaml)
    assert document_of(made.yaml) == made.document
    assert parsed.errors == []
    assert parsed.definition is not None
    assert [step.id for step in parsed.definition.steps] == ["draft", "review"]
    assert parsed.definition.description == f"In a {tone} tone"


def test_a_template_is_printed_and_read_again() -> None:
    assert read_template(print_template(review())).template == review()


def test_a_name_takes_the_place_of_the_one_in_the_text() -> None:
    assert render(review(), {}, "tea-review").yaml.startswith("# A comment on top.\nname: tea-review\n")


def test_older_placeholders_at_the_root_take_the_name() -> None:
    older = (
        'template: {id: older}\nprocess:\n  name: "{{process_name}}"\n  description: The {{ name }} of old  # kept\n'
        '  labels: ["{{name}}"]\n  steps:\n    - {id: a, agent: w, message: "{{ process.name }}"}\n'
    )
    reading = read_template(older)
    assert (reading.problems, reading.template is not None) == ((), True)
    assert reading.template is not None

    text = render(reading.template, {}, "intake").yaml

    assert text == (
        'name: "intake"\ndescription: The intake of old  # kept\n'
        'labels: ["intake"]\nsteps:\n  - {id: a, agent: w, message: "{{ process.name }}"}\n'
    )
    assert parse_definition(text).problems == []
