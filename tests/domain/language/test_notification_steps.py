"""Steps that tell somebody something: what is wrong with one by itself, and how it is planned."""

import pytest

from domain.language import channel_problems, parse_definition, print_definition
from domain.language.expressions import Scope
from domain.processes.plan import PlannedNotification
from domain.refusal import Problem
from tests.definitions import plan_of

TELL = "id: n, type: notification, message: x"
MAIL = f"{TELL}, channel: email"
SCOPE: Scope = {"input": {"to": ["b@x.org", "c@x.org"]}, "steps": {}}


def step(text: str) -> str:
    return f"name: p\nsteps:\n- {{{text}}}\n"


def problems_of(marked: str, severity: str) -> list[Problem]:
    found = parse_definition(step(marked.replace("§", ""))).problems
    return [problem for problem in found if problem.severity == severity]


def column(marked: str) -> int:
    return len("- {") + marked.index("§") + 1


# Each `§` marks where the problem is; it is taken out before reading.
@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (f"{TELL}, channel: §sms", "unknown_value", "channel"),
        (f"{TELL}, channel: [slack, §pager]", "unknown_value", "channel[1]"),
        (f"{TELL}, channel: §[]", "empty", "channel"),
        (f"{TELL}, channel: §{{slack: true}}", "wrong_type", "channel"),
        (f"{TELL}, channel: [slack, webhook, §slack]", "duplicate_channel", "channel[2]"),
        (f"{TELL}, channel: slack, §channels: slack", "said_twice", "channels"),
        (f"{TELL}, channel: webhook, url: §ftp://x.org", "invalid_url", "url"),
        (f"{TELL}, channel: webhook, url: §example.org", "invalid_url", "url"),
        (f"{TELL}, channel: webhook, url: §'https://'", "invalid_url", "url"),
        (f"{TELL}, channel: webhook, url: §'http://[x'", "invalid_url", "url"),
        (f"{TELL}, channel: webhook, url: §'{{{{ input. }}}}'", "expression_syntax", "url"),
        (f"{MAIL}, recipients: §[]", "missing_field", "recipients"),
        (f"{MAIL}, recipients: §ann", "invalid_recipient", "recipients"),
        (f"{MAIL}, recipients: [a@x.org, §'a@x.org, b@x.org']", "invalid_recipient", "recipients[1]"),
        (f'{MAIL}, recipients: [§"a@x.org\\nBcc: b@x.org"]', "invalid_recipient", "recipients[0]"),
        (f"{MAIL}, recipients: [§7]", "wrong_type", "recipients[0]"),
        (f"{MAIL}, recipients: [§'{{{{ steps.n.output }}}}']", "step_not_upstream", "recipients[0]"),
        (f"{MAIL}, recipients: a@x.org, subject: §''", "empty", "subject"),
        (f"{MAIL}, recipients: a@x.org, subject: §'{{{{ process.x }}}}'", "unknown_member", "subject"),
    ],
)
def test_each_error_is_located(text: str, code: str, path: str) -> None:
    found = [(p.code, p.path, p.line, p.column) for p in problems_of(text, "error")]
    assert found == [(code, f"steps[0].{path}", 3, column(text))]


@pytest.mark.parametrize(
    ("text", "path"),
    [("id: n, type: notification, message: x", "channel"), ("id: n, type: notification, channel: slack", "message")],
)
def test_a_channel_and_a_message_are_required(text: str, path: str) -> None:
    assert [(p.code, p.path) for p in problems_of(text, "error")] == [("missing_field", f"steps[0].{path}")]


def test_an_email_needs_recipients_beside_other_channels_too() -> None:
    for channel in ("email", "[slack, email]"):
        (problem,) = problems_of(f"{TELL}, channel: {channel}", "error")
        assert (problem.code, problem.path) == ("missing_field", "steps[0].recipients")


@pytest.mark.parametrize(
    "text",
    [
        f"{TELL}, channel: slack, §recipients: a@x.org",
        f"{TELL}, channel: [slack, webhook], §subject: x",
        f"{MAIL}, recipients: a@x.org, §url: 'https://x.org'",
    ],
)
def test_what_only_another_channel_has_is_a_warning(text: str) -> None:
    assert [(p.code, p.column) for p in problems_of(text, "warning")] == [("unused_field", column(text))]
    assert parse_definition(step(text.replace("§", ""))).definition is not None


@pytest.mark.parametrize("written", ["channel: slack", "channel: [slack]", "channels: slack", "channels: [slack]"])
def test_one_channel_or_several_are_printed_one_way(written: str) -> None:
    parsed = parse_definition(step(f"{TELL}, {written}"))
    assert parsed.definition is not None
    assert "  channel:\n  - slack\n" in print_definition(parsed.definition)
    assert [(p.code, p.severity) for p in parsed.problems] == ([("alias", "notice")] if "channels" in written else [])


def test_what_is_said_is_planned() -> None:
    text = f"{TELL}, channel: [webhook, email], recipients: [a@x.org, '{{{{ input.to }}}}']"
    planned = plan_of(step(f"{text}, url: 'https://x.org', subject: s")).steps["n"]
    assert isinstance(planned, PlannedNotification)
    assert planned.channels == ("webhook", "email")
    assert planned.recipients.render(SCOPE) == ["a@x.org", ["b@x.org", "c@x.org"]]
    rendered = [template.render(SCOPE) for template in (planned.message, planned.subject, planned.url) if template]
    assert rendered == ["x", "s", "https://x.org"]


def test_channels_that_nobody_configured_are_warnings_where_they_are_named() -> None:
    undo = "{type: notification, channel: email, message: x, recipients: a@x.org}"
    source = step(f"{TELL}, channel: [slack, webhook], compensation: {undo}")
    parsed = parse_definition(source)
    found = channel_problems(parsed, {"webhook"})
    assert [(p.code, p.severity, p.path) for p in found] == [
        ("channel_not_configured", "warning", "steps[0].channel[0]"),
        ("channel_not_configured", "warning", "steps[0].compensation.channel"),
    ]
    assert all(source.splitlines()[2][(p.column or 0) - 1 :].startswith(("slack", "email")) for p in found)
    assert channel_problems(parsed, {"webhook", "slack", "email"}) == []
