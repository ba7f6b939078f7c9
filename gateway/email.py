"""The channel ``email``: one message in plain text to all recipients, by SMTP.

``Message-ID`` is derived from the id of the message, the same for every attempt.
"""

import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from domain.agents.addresses import AddressRules
from domain.agents.calls import AgentCall, Failed
from domain.clock import Clock
from gateway.channels import MailServer
from gateway.failures import refused
from gateway.mailboxes import read_mailbox
from gateway.smtp import hand_in

MOST_RECIPIENTS = 100  # every server accepts this many at once (RFC 5321, section 4.5.3.1.8)
# Bodies in seven bits arrive unchanged through every relay.
_POLICY = SMTP.clone(cte_type="7bit")
_BREAKING = frozenset(("Cc", "Zl", "Zp"))


class EmailChannel:
    """The channel through one server, from one sender. rules: of the server's address."""

    def __init__(self, server: MailServer, sender: Address, clock: Clock, rules: AddressRules) -> None:
        self._rules = rules
        self._clock = clock
        self._server = server
        self._sender = sender

    def unfit(self, call: AgentCall) -> Failed | None:
        """Return why recipients or subject cannot stand in a message, None when they can."""
        try:
            _subject(call)
        except ValueError as error:
            return refused("subject_invalid", f"the subject of the message: {error}")
        try:
            _recipients(call.parameters.get("recipients"))
        except ValueError as error:
            return refused("recipients_invalid", f"the recipients of the message: {error}")
        return None

    async def send(self, call: AgentCall, id: str) -> Failed | None:
        """Hand the message to the server."""
        recipients = _recipients(call.parameters.get("recipients"))
        message = EmailMessage(policy=_POLICY)
        message["From"] = self._sender
        message["To"] = recipients
        message["Subject"] = _subject(call)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{id.replace(':', '.')}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(call.message)
        return await hand_in(self._server, message, self._sender, recipients, rules=self._rules)


def _subject(call: AgentCall) -> str:
    """Return the subject of the step, else process and step. Raises ValueError."""
    given = call.parameters.get("subject", "")
    if not isinstance(given, str):
        raise ValueError("it is not a text")
    subject = given.strip()
    if any(unicodedata.category(character) in _BREAKING for character in subject):
        raise ValueError("it holds a line break or another control character")
    return subject or f"{call.process}: {call.step}"


def _recipients(given: Any) -> tuple[Address, ...]:
    """Return each recipient once, in the given order. Raises ValueError, which names a wrong one by position only."""
    listed = [given] if isinstance(given, str) else given
    if not listed or not isinstance(listed, list):
        raise ValueError("there are none")
    if len(listed) > MOST_RECIPIENTS:
        raise ValueError(f"there are more than {MOST_RECIPIENTS}")
    found: dict[str, Address] = {}
    for place, text in enumerate(listed, 1):
        if not isinstance(text, str):
            raise ValueError(f"number {place} is not a text")
        try:
            address = read_mailbox(text)
        except ValueError as error:
            raise ValueError(f"number {place}: {error}") from None
        found.setdefault(address.addr_spec, address)
    return tuple(found.values())
