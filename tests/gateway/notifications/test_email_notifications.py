"""Notifications by mail: what recipients get, what cannot be sent, and what the server's replies mean."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ID = "01890000-0000-7000-8000-000000000001:tell:email"
ANN = ["ann@example.org"]


def text_of(message):
    return message.get_content().replace("\r\n", "\n")


def id_of(message):
    return message["Message-ID"].strip()  # it may stand on a line of its own


@pytest.fixture
def by_mail(mail, mailing):
    """A notifier that hands mail in at the server, which asks for nothing."""
    return mailing(mail.start())


def test_one_message_in_plain_text_goes_to_all_recipients(by_mail, mail):
    before = datetime.now(UTC) - timedelta(seconds=1)
    recipients = ["ann@example.org", " Bob Grün <bob@exämple.org>\n", "ann@example.org"]

    answer = by_mail.notify("email", message="Grüße\n.\nEnde", subject=" Neues: größer \n", recipients=recipients)

    assert answer == by_mail.delivered("email")
    assert mail.envelopes == [("no-reply@procession.example", ["ann@example.org", "bob@xn--exmple-cua.org"])]
    message = mail.messages[0]
    assert message["From"] == "Procession <no-reply@procession.example>"
    assert message["To"] == "ann@example.org, Bob Grün <bob@xn--exmple-cua.org>"
    assert message["Subject"] == "Neues: größer"
    assert before <= parsedate_to_datetime(message["Date"]) <= datetime.now(UTC)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert text_of(message) == "Grüße\n.\nEnde\n"


def test_the_subject_is_process_and_step_unless_given(by_mail, mail):
    by_mail.notify("email", recipients=ANN)
    by_mail.notify("email", recipients=ANN, subject=" ")
    assert [message["Subject"] for message in mail.messages] == ["letters: tell"] * 2


def test_every_attempt_has_the_same_message_id(by_mail, mail):
    for attempt in (1, 2):
        assert by_mail.notify("email", attempt=attempt, recipients=ANN) == by_mail.delivered("email")
    ids = [id_of(message) for message in mail.messages]
    assert ids == [f"<{ID.replace(':', '.')}@procession.example>"] * 2


def test_the_longest_step_keeps_its_message_id_in_one_piece(by_mail, mail):
    step = "s" * 64 + ".compensation"
    by_mail.notify("email", step=step, recipients=ANN)
    assert id_of(mail.messages[0]) == f"<{ID[:36]}.{step}.email@procession.example>"


@pytest.mark.parametrize("subject", ["a\nBcc: eve@example.org", "a\r\nX: y", "a\rb", "a\x00b", "a\x0bb", "a\u2028b", 7])
def test_a_subject_cannot_become_another_header(by_mail, mail, subject):
    error = by_mail.notify("email", recipients=ANN, subject=subject).error
    assert (error.code, error.permanent, error.details) == ("subject_invalid", True, {"channel": "email"})
    assert mail.messages == []


@pytest.mark.parametrize(
    "recipients",
    [
        None,
        [],
        "",
        [""],
        7,
        [7],
        ["ann"],
        ["@example.org"],
        ["ann@"],
        ["ann@example.org\nBcc: eve@example.org"],
        ["ann@example.org, eve@example.org"],
        ["<ann@example.org> SIZE=1"],
        ["Ann\n <ann@example.org>"],
        ["ann@example.org>\r\nDATA"],
        ["ann..x@example.org"],
        ["ann@example..org"],
        ["a" * 65 + "@example.org"],
        [f"a{n}@example.org" for n in range(101)],
        ["ann@example.org", "bob"],
    ],
)
def test_recipients_that_are_none_are_a_permanent_failure(by_mail, mail, recipients):
    error = by_mail.notify("email", recipients=recipients).error
    assert (error.code, error.permanent, error.details) == ("recipients_invalid", True, {"channel": "email"})
    assert mail.messages == []


def test_the_recipient_that_is_wrong_is_told_by_its_place(by_mail):
    message = by_mail.notify("email", recipients=["ann@example.org", "bob"]).error.message
    assert message == "the recipients of the message: number 2: it is not an address like ann@example.org"


@settings(max_examples=40)
@given(text=st.text(max_size=200), subject=st.text(max_size=120), recipient=st.text(max_size=60))
def test_nothing_that_is_said_becomes_a_header_or_a_recipient(by_mail, mail, text, subject, recipient):
    mail.messages.clear()
    mail.envelopes.clear()
    answer = by_mail.notify("email", message=text, subject=subject, recipients=[recipient, *ANN])
    if mail.messages:
        assert answer == by_mail.delivered("email")
        assert len(mail.envelopes[0][1]) == 2
        headers = "From To Subject Date Message-ID Auto-Submitted Content-Type Content-Transfer-Encoding MIME-Version"
        assert mail.messages[0].keys() == headers.split()
        assert mail.messages[0]["Subject"].strip() == subject.strip() or not subject.strip()
    else:
        assert answer.error.code in ("subject_invalid", "recipients_invalid")


@settings(max_examples=25)
@given(text=st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=300))
def test_any_line_arrives_as_it_is(by_mail, mail, text):
    assert by_mail.notify("email", message=text, recipients=ANN) == by_mail.delivered("email")
    assert text_of(mail.messages[-1]) == text + "\n"


@pytest.mark.parametrize("command", ["MAIL", "ann@example.org", "DATA"])
@pytest.mark.parametrize(
    ("reply", "code", "permanent"),
    [
        ("451 try later", "agent_unavailable", False),
        ("452 full", "agent_unavailable", False),
        ("550 no such user", "agent_refused", True),
        ("554 spam", "agent_refused", True),
    ],
)
def test_replies_say_whether_to_try_again(by_mail, mail, command, reply, code, permanent):
    mail.replies[command] = reply
    error = by_mail.notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == (code, permanent)
    assert error.details == {"channel": "email", "status": int(reply[:3])}
    assert error.message.startswith(f"the mail server answered {reply[:3]}: ")
    assert reply[4:] in error.message


@pytest.mark.parametrize(
    ("eve", "code", "permanent"), [("550 unknown", "agent_refused", True), ("451 later", "agent_unavailable", False)]
)
def test_a_message_that_some_do_not_get_is_a_failure_that_names_them(by_mail, mail, eve, code, permanent):
    mail.replies |= {"eve@example.org": eve, "bob@example.org": "550 unknown"}
    error = by_mail.notify("email", recipients=[*ANN, "bob@example.org", "eve@example.org"]).error
    assert (error.code, error.permanent) == (code, permanent)
    assert "@example.org and 1 more" in error.message
    assert mail.envelopes == [("no-reply@procession.example", ANN)]
