"""A definition suggests what to make parameters of, and becomes a template by its own proposals."""

from pathlib import Path

import pytest

from domain.language import parse_definition
from domain.language.editing.edits import document_of
from domain.templates.needs import needs
from domain.templates.parametrising import parametrise
from domain.templates.printing import print_template
from domain.templates.proposals import propose
from domain.templates.reading import read_template
from domain.templates.substitution import render
from domain.templates.template import Template

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))
PARTICULAR = """
name: intake
triggers:
  - {type: webhook, id: claims, secret: "${CLAIMS_SECRET}"}
  - {type: schedule, id: daily, preset: daily, timezone: Europe/Berlin}
steps:
  - {id: read, agent: reader, message: Read., roles: {monitors: [watcher, "team:claims"], informed: archive}}
  - {id: check, type: human_approval, depends_on: read, assignees: [ann, bob], title: ok}
  - {id: send, type: notification, depends_on: check, channels: [email], message: m, recipients: [ann@a.example]}
  - {id: pay, type: sub_process, depends_on: check, process: payment}
"""


def test_what_is_particular_is_proposed() -> None:
    proposed = {proposal.name: (proposal.declaration["type"], proposal.paths) for proposal in propose(PARTICULAR)}

    assert proposed == {
        "reader": ("agent", ("steps[0].agent",)),
        "watcher": ("agent", ("steps[0].roles.monitors[0]",)),
        "archive": ("agent", ("steps[0].roles.informed",)),
        "approvers_of_check": ("array", ("steps[1].assignees",)),
        "channel_of_send": ("enum", ("steps[2].channels[0]",)),
        "recipients_of_send": ("array", ("steps[2].recipients",)),
        "payment": ("process", ("steps[3].process",)),
        "webhook_claims": ("string", ("triggers[0].id",)),
        "claims_secret": ("secret", ("triggers[0].secret",)),
        "timezone": ("timezone", ("triggers[1].timezone",)),
    }


@pytest.mark.parametrize("source", [PARTICULAR, *(path.read_text() for path in EXAMPLES)])
def test_a_process_becomes_a_template_by_its_proposals_and_is_itself_again(source: str) -> None:
    made = parametrise(source, {proposal.name: proposal.request for proposal in propose(source)})
    template = Template("made", "Made", "", (), None, None, 1, made.parameters, (made.sample,), made.text)

    assert (made.problems, made.removed) == ((), ())
    assert render(template, made.sample).document == document_of(source)
    again = read_template(print_template(template))
    assert [problem for problem in again.problems if problem.severity == "error"] == []
    assert again.template is not None
    assert again.template.process_text.strip() == made.text.strip()


def test_a_template_needs_what_its_text_and_its_defaults_name() -> None:
    requests = {proposal.name: proposal.request for proposal in propose(PARTICULAR)}
    del requests["reader"]["default"]
    del requests["archive"]
    made = parametrise(PARTICULAR, requests)

    found = needs(Template("made", "Made", "", (), None, None, 1, made.parameters, (made.sample,), made.text))

    assert found.agents == ("archive", "watcher")
    assert (found.secrets, found.channels, found.processes) == (("CLAIMS_SECRET",), ("email",), ("payment",))
    assert parse_definition(PARTICULAR).errors == []
