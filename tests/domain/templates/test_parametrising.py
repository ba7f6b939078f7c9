"""A definition becomes a template: places become parameters, secrets go, and all else stays as written."""

from domain.language import parse_definition
from domain.language.editing.edits import document_of
from domain.templates.parametrising import Parametrised, parametrise
from domain.templates.substitution import render
from domain.templates.template import Template

INTAKE = """
# Claims of a team.
name: intake
triggers:
  - {type: webhook, id: claims, secret: "${CLAIMS_SECRET}"}
steps:
  - id: read   # first
    agent: reader
    message: |
      Read the claim for ACME: {{ trigger.payload.text }}.
      Costs $${{ trigger.payload.sum }}. ACME pays ${{ trigger.payload.paid }}.
    parameters: {api_key: abcd1234efgh, url: 'https://bob:hunter2@a.example/x'}
    timeout: 5m
  - id: check
    type: human_approval
    depends_on: read
    approvers: [ann, bob]
    title: ok
"""


def template_of(made: Parametrised) -> Template:
    """Return a template of the result of parametrising."""
    return Template("intake", "Intake", "", (), None, None, 1, made.parameters, (made.sample,), made.text)


def problems_of(text: str, **parameters: dict[str, object]) -> list[tuple[str, str]]:
    """Return code and path of each problem."""
    made = parametrise(text, parameters)  # type: ignore[arg-type]
    return [(problem.code, problem.path) for problem in made.problems]


def test_values_become_placeholders_and_the_rest_stays() -> None:
    made = parametrise(
        INTAKE,
        {
            "reader": {"path": "steps[0].agent", "type": "agent", "title": "Reader"},
            "company": {"path": "steps[0].message", "text": "ACME", "type": "string"},
            "approvers": {"path": "steps[1].approvers", "type": "array", "items": "string"},
            "limit": {"path": "steps[0].timeout", "type": "duration", "default": "10m"},
        },
    )

    assert made.problems == ()
    assert made.text == (
        """
# Claims of a team.
name: intake
triggers:
  - {type: webhook, id: claims, secret: "${CLAIMS_SECRET}"}
steps:
  - id: read   # first
    agent: ${{ parameters.reader }}
    message: |
      Read the claim for ${{ parameters.company }}: {{ trigger.payload.text }}.
      Costs $$${{ trigger.payload.sum }}. ${{ parameters.company }} pays $${{ trigger.payload.paid }}.
    parameters: {api_key: "${{ parameters.api_key }}", url: 'https://bob:${{ parameters.url_password }}@a.example/x'}
    timeout: ${{ parameters.limit }}
  - id: check
    type: human_approval
    depends_on: read
    approvers: "${{ parameters.approvers }}"
    title: ok
"""
    )
    assert [(each.path, each.kind, each.parameter, each.reference) for each in made.removed] == [
        ("steps[0].parameters.api_key", "by_name", "api_key", "${API_KEY}"),
        ("steps[0].parameters.url", "url_password", "url_password", "${URL_PASSWORD}"),
    ]


def test_the_original_values_give_the_original_without_its_secrets() -> None:
    made = parametrise(INTAKE, {"reader": {"path": "steps[0].agent", "type": "agent"}})

    again = render(template_of(made), made.sample)

    secrets = [("abcd1234efgh", '"${API_KEY}"'), ("hunter2", "${URL_PASSWORD}")]
    expected = INTAKE
    for secret, reference in secrets:
        expected = expected.replace(secret, reference)
    assert again.document == document_of(expected)


def test_an_agent_in_several_steps_is_one_parameter() -> None:
    text = (
        "name: a\nsteps:\n  - id: x\n    agent: w\n    message: m\n  - {id: y, agent: w, message: n, depends_on: x}\n"
    )

    made = parametrise(text, {"writer": {"path": ["steps[0].agent", "steps[1].agent"], "type": "agent"}})

    assert made.problems == ()
    assert made.sample == {"writer": "w"}
    assert render(template_of(made), {"writer": "z"}).yaml == (
        'name: a\nsteps:\n  - id: x\n    agent: z\n    message: m\n  - {id: y, agent: "z", message: n, depends_on: x}\n'
    )


def test_what_cannot_be_a_parameter_is_named() -> None:
    assert problems_of(INTAKE, a={"path": "steps[0].id", "type": "string"}) == [
        ("placeholder_forbidden", "steps[0].id")
    ]
    assert problems_of(INTAKE, a={"path": "triggers", "type": "array"}) == [("placeholder_forbidden", "triggers")]
    assert problems_of(INTAKE, a={"path": "steps[9].agent", "type": "agent"}) == [("unknown_path", "parameters.a")]
    assert problems_of(INTAKE, a={"path": "steps[0].message", "type": "string"}) == [
        ("value_is_expression", "steps[0].message")
    ]
    assert problems_of(INTAKE, a={"path": "steps[0].timeout", "type": "money"}) == [
        ("invalid_amount", "steps[0].timeout")
    ]
    assert problems_of(INTAKE, a={"path": "steps[0].parameters.url", "type": "string"}) == [
        ("places_overlap", "parameters.a")
    ]
    assert problems_of(INTAKE, a={"path": "steps[0].agent", "type": "agnt"}) == [("unknown_type", "parameters.a.type")]
    assert problems_of("name: [", a={"path": "name", "type": "string"}) == [("unreadable_definition", "")]


def test_a_secret_in_a_comment_goes() -> None:
    made = parametrise("name: a\n# password: hunter22!\nsteps:\n  - {id: x, agent: w, message: m}\n", {})

    assert "hunter22" not in made.text
    assert [each.kind for each in made.removed] == ["assigned_secret"]
    assert made.problems == ()


def test_a_secret_in_a_key_is_refused() -> None:
    text = f"name: a\nsteps:\n  - {{id: x, agent: w, message: m, parameters: {{ghp_{'a1' * 18}: 1}}}}\n"

    assert [code for code, _ in problems_of(text)] == ["secret_in_key"]


def test_only_comments_lose_what_no_value_holds() -> None:
    source = "name: a\nlabels: [x]   # password: hunter22!, as before\nsteps:\n  - {id: x, agent: w, message: m}\n"

    made = parametrise(source, {})

    assert made.text == source.replace("hunter22!", "(removed)")
    assert document_of(made.text) == document_of(source)


REPEATED = """
name: loop
steps:
  - id: review
    type: sub_process
    input_mapping: {text: "A text of ACME: {{ input.text }}"}
    repeat: {until: "last.output.by == 'ACME'", max: 3, carry: {text: "{{ last.output.text }} for ACME"}}
    steps:
      - {id: revise, agent: writer, message: "Revise for ACME {{ input.text }}"}
    outputs: {text: "{{ steps.revise.output }}", by: ACME}
"""


def test_values_inside_a_body_become_placeholders() -> None:
    made = parametrise(
        REPEATED,
        {
            "writer": {"path": "steps[0].steps[0].agent", "type": "agent"},
            "rounds": {"path": "steps[0].repeat.max", "type": "integer"},
            "company": {
                "path": [
                    "steps[0].input_mapping.text",
                    "steps[0].repeat.carry.text",
                    "steps[0].steps[0].message",
                    "steps[0].outputs.by",
                ],
                "text": "ACME",
                "type": "string",
            },
        },
    )
    assert made.problems == ()
    assert 'agent: "${{ parameters.writer }}"' in made.text
    rendered = render(template_of(made), {"writer": "poet", "rounds": 7, "company": "O'Neil {{ x }}"})
    (step,) = rendered.document["steps"]  # type: ignore[index, call-overload, misc]
    assert step["steps"][0]["agent"] == "poet"
    assert step["repeat"]["max"] == 7
    assert parse_definition(rendered.yaml).errors == []


def test_what_makes_a_body_is_no_parameter() -> None:
    found = problems_of(
        REPEATED,
        steps={"path": "steps[0].steps", "type": "array"},
        id={"path": "steps[0].steps[0].id", "type": "string"},
        until={"path": "steps[0].repeat.until", "type": "string"},
    )
    assert [code for code, _ in found] == ["value_is_expression", "placeholder_forbidden", "value_is_expression"]
