"""Mail servers that ask for a password, speak TLS, are silent, or talk rubbish."""

import asyncio
import base64
import socket
import ssl
import threading
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.channels import MailServer, read_mail_server
from gateway.mailboxes import read_mailbox
from gateway.smtp import hand_in

PASSWORD = "pass-nobody-knows"
ANN = ["ann@example.org"]
# Of localhost, with its key; nobody vouches for it.
CERTIFICATE = Path(__file__).with_name("loopback-certificate.pem")
# The server warns of what is no danger here.
in_the_clear = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATE)
    return made


class Raw:
    """Takes one connection, says `greeting` and hangs up; a silent one only listens."""

    def __init__(self, greeting: bytes, *, silent: bool = False) -> None:
        self.arrived, self.gone = threading.Event(), threading.Event()
        self._greeting, self._silent = greeting, silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self.arrived.set()
        with connection, suppress(OSError):
            connection.sendall(self._greeting)
            while self._silent and connection.recv(65_536):
                pass
        self.gone.set()

    def close(self) -> None:
        self._thread.join(60)
        self._listener.close()


@pytest.fixture
def raw():
    """Makes servers that misbehave."""
    with ExitStack() as ending:
        yield lambda greeting, **how: ending.enter_context(closing(Raw(greeting, **how)))


@in_the_clear
def test_user_and_password_open_the_server(mail, mailing):
    port = mail.start(authenticator=mail.login, auth_require_tls=False, auth_required=True)
    told = mailing(read_mail_server(f"smtp://ann%40example.org:{PASSWORD}@127.0.0.1:{port}"))
    assert told.notify("email", recipients=ANN) == told.delivered("email")
    assert mail.logins == [("ann@example.org", PASSWORD)]


@in_the_clear
def test_a_wrong_password_is_a_permanent_failure_that_does_not_repeat_it(mail, mailing, caplog):
    port = mail.start(authenticator=mail.login, auth_require_tls=False, auth_required=True)
    told = mailing(port, user="ann", password="wrong-nobody")
    error = told.notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == ("agent_refused", True)
    assert "the user and the password" in error.message
    assert "nobody" not in repr(error) + caplog.text


def test_starttls_is_used_where_it_is_offered(mail, mailing, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    port = mail.start(tls_context=context(), authenticator=mail.login)
    told = mailing(MailServer("localhost", port, user="ann", password=PASSWORD))
    assert told.notify("email", recipients=ANN) == told.delivered("email")
    assert mail.encrypted == [True]
    assert mail.logins == [("ann", PASSWORD)]


def test_smtps_is_encrypted_from_the_first_byte(mail, mailing, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    port = mail.start(tls=context())
    told = mailing(read_mail_server(f"smtps://localhost:{port}"))
    assert told.notify("email", recipients=ANN) == told.delivered("email")
    assert len(mail.messages) == 1


@pytest.mark.parametrize("tls", [True, False])
def test_a_server_that_nobody_vouches_for_is_told_nothing(mail, mailing, tls):
    port = mail.start(tls=context()) if tls else mail.start(tls_context=context(), authenticator=mail.login)
    server = MailServer("localhost", port, tls=tls, user="ann", password=PASSWORD)
    error = mailing(server).notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == ("agent_unreachable", False)
    assert "certificate" in error.message.lower()
    assert (mail.logins, mail.messages) == ([], [])


def test_a_password_does_not_leave_this_machine_in_the_clear(mail, mailing, monkeypatch):
    """The name leads to this machine, but does not say so."""
    port = mail.start(authenticator=mail.login, auth_require_tls=False)
    found = socket.getaddrinfo
    here = lambda host, *rest, **how: found("127.0.0.1" if host == "mail.example" else host, *rest, **how)  # noqa: E731
    monkeypatch.setattr(socket, "getaddrinfo", here)
    server = MailServer("mail.example", port, user="ann", password=PASSWORD)
    error = mailing(server).notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == ("agent_misconfigured", True)
    assert "STARTTLS" in error.message
    assert (mail.logins, mail.messages) == ([], [])
    told = mailing(MailServer("mail.example", port))
    assert told.notify("email", recipients=ANN) == told.delivered("email")


def test_a_server_that_is_not_there_may_be_tried_again(mailing):
    error = mailing(1).notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == ("agent_unreachable", False)


@pytest.mark.parametrize(
    ("greeting", "code", "permanent"),
    [
        (b"421 too busy\r\n", "agent_unavailable", False),
        (b"554 go away\r\n", "agent_refused", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "agent_answer_malformed", False),
        (b"\xff\xfe\x00\r\n", "agent_answer_malformed", False),
        (b"999 what\r\n", "agent_answer_malformed", False),
        (b"220 hello\r\n", "agent_unreachable", False),
    ],
)
def test_rubbish_is_a_failure_with_a_code(raw, mailing, greeting, code, permanent):
    told = mailing(raw(greeting).port)
    error = told.notify("email", recipients=ANN).error
    assert (error.code, error.permanent) == (code, permanent)


@in_the_clear
@pytest.mark.parametrize("code", ["550", "451", "354"])
def test_a_server_that_repeats_the_password_does_not_get_it_recorded(mail, mailing, caplog, code):
    """As it is, and as it went over the wire."""
    plain = base64.b64encode(f"\0ann\0{PASSWORD}".encode()).decode()
    alone = base64.b64encode(PASSWORD.encode()).decode()
    mail.replies["MAIL"] = f"{code} no {PASSWORD} and {plain} or {alone} here"
    port = mail.start(authenticator=mail.login, auth_require_tls=False)
    error = mailing(port, user="ann", password=PASSWORD).notify("email", recipients=ANN).error
    assert "no *** and *** or *** here" in error.message
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("when", ["connecting", "handing in"])
def test_a_cancelled_message_is_hung_up_and_never_delivered(raw, mail, mailing, rig, when):
    server = raw(b"", silent=True) if when == "connecting" else mail
    mail.silent = True
    told = mailing(server.port if server is not mail else mail.start())
    told.begin("email", recipients=ANN)
    assert server.arrived.wait(60)
    told.gateway.cancel(rig.execution_id, "tell", 1)
    assert told.gateway.open_calls() == 0
    assert server.gone.wait(60)
    told.gateway.close(grace=timedelta(seconds=60))
    assert told.deliveries.empty()


def test_a_silent_server_is_given_up(raw):
    silent = raw(b"", silent=True)
    server, sender = MailServer("127.0.0.1", silent.port), read_mailbox("a@b.example")
    failed = asyncio.run(hand_in(server, EmailMessage(), sender, [sender], timedelta(milliseconds=50)))
    assert (failed.error.code, failed.error.permanent) == ("deadline_exceeded", False)
    assert failed.error.message == "the mail server did not answer within 0.05 s"
    assert silent.gone.wait(60)
