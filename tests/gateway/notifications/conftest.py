"""Gateways with channels, and a mail server that keeps what it gets."""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import Answer, Completed
from gateway.channels import Channels, MailServer
from gateway.gateway import AgentGateway
from gateway.mailboxes import read_mailbox

ID = "01890000-0000-7000-8000-000000000001:tell"
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
SLACK_PATH = "/services/T0/B0/hook-that-nobody-may-know"
PASSWORD = "pass-nobody-knows"


class Notifier:
    """A gateway with channels, and what it delivers."""

    def __init__(self, rig: Any, channels: Channels) -> None:
        self.gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base=None, channels=channels)
        self.deliveries = type(rig.deliveries)()
        self._call = rig.call

    def begin(
        self, *channels: str, message: Any = "It is done", attempt: int = 1, step: str = "tell", **to: Any
    ) -> None:
        """Have a notification delivered; `to`: url, subject, recipients."""
        parameters = {"channels": list(channels), **to}
        told = self._call(message, step=step, attempt=attempt, agent="", parameters=parameters)
        self.gateway.notify(told, self.deliveries)

    def notify(self, *channels: str, **facts: Any) -> Answer:
        self.begin(*channels, **facts)
        answer: Answer = self.deliveries.next()
        return answer

    @staticmethod
    def delivered(*channels: str) -> Completed:
        """The answer of a step ``tell`` that these channels delivered."""
        return Completed({"delivered": [{"channel": name, "id": f"{ID}:{name}"} for name in channels]})


class Mail:
    """A mail server that keeps what it gets. replies: what it answers to a command or recipient instead of yes.

    silent: says nothing more once somebody has mail; `gone` tells that they hung up then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logins: list[tuple[str, str]] = []
        self.encrypted: list[bool] = []
        self.replies: dict[str, str] = {}
        self.silent = False
        self.arrived, self.gone = threading.Event(), threading.Event()
        self._loop = loop
        self._listening: asyncio.Server | None = None

    def start(self, *, tls: Any = None, **features: Any) -> int:
        """Listen, offering the features of ``aiosmtpd.smtp.SMTP``; the port."""

        async def listen() -> asyncio.Server:
            def make() -> SMTP:
                return SMTP(self, hostname="localhost", loop=self._loop, enable_SMTPUTF8=True, **features)

            return await self._loop.create_server(make, "127.0.0.1", 0, ssl=tls)

        self._listening = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(60)
        return int(self._listening.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self._listening is not None:
            self._loop.call_soon_threadsafe(self._listening.close)

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.arrived.set()
        try:
            if self.silent:
                await asyncio.Event().wait()
        finally:
            self.gone.set()
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        reply = self.replies.get("DATA", "250 OK")
        if reply.startswith("250"):
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            self.messages.append(message_from_bytes(envelope.original_content, policy=default))
            self.encrypted.append(session.ssl is not None)
        return reply


@pytest.fixture
def notifier(rig: Any) -> Iterator[Callable[..., Notifier]]:
    """Makes a notifier with the channels given."""
    made: list[Notifier] = []

    def make(**channels: Any) -> Notifier:
        made.append(Notifier(rig, Channels(**channels)))
        return made[-1]

    yield make
    for each in made:
        each.gateway.close(grace=timedelta())


@pytest.fixture
def webhook(notifier: Callable[..., Notifier], rig: Any) -> Notifier:
    """A notifier whose webhooks go to the server, which takes them."""
    rig.server.always(rig.response(204))
    return notifier(webhook_secret=SECRET, webhook_url=f"{rig.server.url}/hook")


@pytest.fixture
def slack(notifier: Callable[..., Notifier], rig: Any) -> Notifier:
    """A notifier that tells Slack, unsigned."""
    rig.server.always(rig.response(200, b"ok", content_type="text/plain"))
    return notifier(slack_url=rig.server.url + SLACK_PATH)


@pytest.fixture
def both(notifier: Callable[..., Notifier], rig: Any) -> Notifier:
    """A notifier with webhooks and Slack."""
    rig.server.always(rig.response(200, b"ok", content_type="text/plain"))
    url = rig.server.url
    return notifier(webhook_secret=SECRET, webhook_url=f"{url}/hook", slack_url=url + SLACK_PATH)


@pytest.fixture
def mailing(notifier: Callable[..., Notifier]) -> Callable[..., Notifier]:
    """Makes a notifier that hands mail in at a port of this machine, or at the server given."""

    def make(server: MailServer | int, **login: str) -> Notifier:
        place = MailServer("127.0.0.1", server, **login) if isinstance(server, int) else server  # type: ignore[arg-type]
        return notifier(mail=place, sender=read_mailbox("Procession <no-reply@procession.example>"))

    return make


@pytest.fixture
def mail(rig: Any) -> Iterator[Mail]:
    """A mail server, to be started; it runs beside the HTTP server, which ends what it still does."""
    made = Mail(rig.server.loop)
    yield made
    made.close()
