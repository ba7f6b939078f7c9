"""Channels of notifications, configured in the environment."""

import pytest

from app.settings import BadSetting, Settings, read_settings
from gateway.channels import MailServer
from gateway.mailboxes import read_mailbox

SECRET = "whsec_bm9ib2R5LW1heS1rbm93LXRoaXM="
WHOLE = {
    "PROCESSION_WEBHOOK_URL": "https://hooks.example/nobody",
    "PROCESSION_WEBHOOK_SECRET": SECRET,
    "PROCESSION_SLACK_URL": "https://hooks.slack.example/services/nobody",
    "PROCESSION_SMTP_URL": "smtp://ann:nobody@mail.example:2525",
    "PROCESSION_EMAIL_FROM": "Procession <no-reply@procession.example>",
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """Sets the variables of channels, and no others of them."""

    def give(**variables: str) -> Settings:
        for name in WHOLE:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_settings()

    return give


def test_nothing_is_configured_unless_it_is_said(given) -> None:
    assert given().channels.configured == set()
    assert given(**dict.fromkeys(WHOLE, "")).channels.configured == set()


def test_each_channel_is_configured_by_its_own_variables(given) -> None:
    assert given(PROCESSION_WEBHOOK_SECRET="a text").channels.configured == {"webhook"}
    assert given(PROCESSION_SLACK_URL=WHOLE["PROCESSION_SLACK_URL"]).channels.configured == {"slack"}
    assert given(**{name: WHOLE[name] for name in WHOLE if "MAIL" in name or "SMTP" in name}).channels.configured == {
        "email"
    }


def test_everything_together(given) -> None:
    channels = given(**{name: f" {value}\n" for name, value in WHOLE.items()}).channels
    assert channels.webhook_url == WHOLE["PROCESSION_WEBHOOK_URL"]
    assert channels.webhook_secret == SECRET
    assert channels.slack_url == WHOLE["PROCESSION_SLACK_URL"]
    assert channels.mail == MailServer("mail.example", 2525, user="ann", password="nobody")
    assert channels.sender == read_mailbox("Procession <no-reply@procession.example>")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587)),
        ("smtps://mail.example/", MailServer("mail.example", 465, tls=True)),
        ("smtp://a%40b.example:p%2F%23%3A@[::1]:25", MailServer("::1", 25, user="a@b.example", password="p/#:")),
    ],
)
def test_the_address_of_a_mail_server(given, url: str, server: MailServer) -> None:
    assert given(PROCESSION_SMTP_URL=url, PROCESSION_EMAIL_FROM="a@b.example").channels.mail == server


def test_secrets_do_not_show_when_printed(given) -> None:
    settings = given(**WHOLE)
    assert "nobody" not in repr(settings) + repr(settings.channels) + repr(settings.channels.mail)
    assert SECRET not in repr(settings) + repr(settings.channels)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROCESSION_WEBHOOK_URL", "ftp://nobody"),
        ("PROCESSION_WEBHOOK_URL", "nobody"),
        ("PROCESSION_WEBHOOK_SECRET", "whsec_"),
        ("PROCESSION_WEBHOOK_SECRET", "whsec_nobody%"),
        ("PROCESSION_SLACK_URL", "hooks.slack.example/nobody"),
        ("PROCESSION_SLACK_URL", "https://[nobody/x"),
        ("PROCESSION_SMTP_URL", "nobody"),
        ("PROCESSION_SMTP_URL", "http://nobody"),
        ("PROCESSION_SMTP_URL", "smtp://ann:nobody/x@host"),
        ("PROCESSION_SMTP_URL", "smtp://ann:nobody#x@host"),
        ("PROCESSION_SMTP_URL", "smtp://ann:no[body@host"),
        ("PROCESSION_SMTP_URL", "smtp://nobody@host"),
        ("PROCESSION_SMTP_URL", "smtp://:nobody@host"),
        ("PROCESSION_SMTP_URL", "smtp://ann:nobody@"),
        ("PROCESSION_SMTP_URL", "smtp://host:nobody"),
        ("PROCESSION_SMTP_URL", "smtp://host:0/"),
        ("PROCESSION_SMTP_URL", "smtp://ann:no body@host"),
        ("PROCESSION_SMTP_URL", "smtp://ann:nobody℀@host"),
        ("PROCESSION_EMAIL_FROM", "nobody"),
        ("PROCESSION_EMAIL_FROM", "a@b.example\nBcc: nobody@b.example"),
        ("PROCESSION_EMAIL_FROM", "a@b.example, nobody@b.example"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_not_repeated(given, variable: str, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        given(**(WHOLE | {variable: value}))
    assert str(refused.value).startswith(f"{variable}: ")
    assert "nobody" not in str(refused.value)


@pytest.mark.parametrize(
    ("given_alone", "missing"),
    [
        ("PROCESSION_WEBHOOK_URL", "PROCESSION_WEBHOOK_SECRET"),
        ("PROCESSION_SMTP_URL", "PROCESSION_EMAIL_FROM"),
        ("PROCESSION_EMAIL_FROM", "PROCESSION_SMTP_URL"),
    ],
)
def test_half_a_channel_is_refused(given, given_alone: str, missing: str) -> None:
    with pytest.raises(BadSetting, match=f"^{given_alone} needs {missing}, "):
        given(**{given_alone: WHOLE[given_alone]})
