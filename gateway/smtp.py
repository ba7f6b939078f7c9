"""The hand-over of one message to a mail server, and the meaning of its replies."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from domain.agents.addresses import OPEN_ADDRESSES, AddressRules
from domain.agents.calls import Failed, StepError
from gateway.channels import MailServer
from gateway.connecting import AddressDenied, connected_socket
from gateway.exchange import EXCERPT
from gateway.failures import address_denied, deadline_exceeded, misconfigured, refused, unreachable
from gateway.secrets import Disclosed

ALLOWED = timedelta(seconds=60)
GOODBYE_SECONDS = 2.0
WHO = "the mail server"


async def hand_in(
    server: MailServer,
    message: EmailMessage,
    sender: Address,
    recipients: Sequence[Address],
    allowed: timedelta = ALLOWED,
    rules: AddressRules = OPEN_ADDRESSES,
) -> Failed | None:
    """Hand the message for all recipients to `server`. Returns None when it accepted it. rules: of its address.

    4yz replies may be tried again, 5yz are permanent. Acceptance for only some recipients is a failure too, although
    those get the message.
    """
    disclosed = _disclosed(server)
    client = _client(server, allowed)
    try:
        async with asyncio.timeout(allowed.total_seconds()):
            await _connect(client, server, rules)
            addresses = [recipient.addr_spec for recipient in recipients]
            left_out, _ = await client.send_message(message, sender=sender.addr_spec, recipients=addresses)
        await _quit(client)
    except AddressDenied as denied:
        return address_denied(str(denied))
    except TimeoutError:
        return deadline_exceeded(allowed, WHO)
    except (SMTPException, OSError, ValueError) as error:
        return _failure(error, disclosed)
    finally:
        client.close()
    if left_out:
        replies = {address: (reply.code, reply.message) for address, reply in left_out.items()}
        return _left_out(replies, disclosed)
    return None


def _client(server: MailServer, allowed: timedelta) -> SMTP:
    return SMTP(
        hostname=server.host,
        username=server.user,
        password=server.password,
        use_tls=server.tls,
        # None: use it when it is offered. A password is never sent unencrypted to another machine, even if an
        # intermediary hides the offer.
        start_tls=True if server.needs_tls and not server.tls else None,
        timeout=allowed.total_seconds(),
    )


async def _connect(client: SMTP, server: MailServer, rules: AddressRules) -> None:
    connection = await connected_socket(rules, server.host, server.port)
    try:
        await client.connect(sock=connection)
    except BaseException:
        connection.close()  # the client closes only the connections that it has begun to use
        raise


async def _quit(client: SMTP) -> None:
    # The message was accepted; the end of the connection changes nothing.
    with suppress(SMTPException, OSError):
        await client.quit(timeout=GOODBYE_SECONDS)


def _disclosed(server: MailServer) -> Disclosed:
    """Return the password as a secret, also in its encoding on the wire, which a server may repeat."""
    disclosed = Disclosed()
    if server.user is not None and server.password is not None:
        disclosed.add(server.password)
        for said in (server.password, f"\0{server.user}\0{server.password}"):
            disclosed.add(base64.b64encode(said.encode()).decode())
    return disclosed


def _failure(error: Exception, disclosed: Disclosed) -> Failed:
    match error:
        case SMTPAuthenticationError():
            return _reply(error.code, "it does not accept the user and the password")
        case SMTPRecipientsRefused():
            replies = {each.recipient: (each.code, each.message) for each in error.recipients}
            return _left_out(replies, disclosed)
        case SMTPResponseException():
            return _reply(error.code, _readable(error.message, disclosed))
        case SMTPServerDisconnected() | SMTPConnectError() | OSError():
            return unreachable(_readable(str(error), disclosed) or type(error).__name__, WHO)
        case SMTPException():
            return misconfigured(_readable(error.message, disclosed), WHO)
        case _:
            # The library's message may repeat the sent data.
            return misconfigured("the message cannot be put into its protocol", WHO)


def _left_out(replies: Mapping[str, tuple[int, str]], disclosed: Disclosed) -> Failed:
    """Return the failure for refused recipients; permanent unless one of them may be accepted later."""
    address, (code, text) = min(replies.items(), key=lambda reply: reply[1][0])
    others = f" and {len(replies) - 1} more" if len(replies) > 1 else ""
    return _reply(code, f"it does not take the message for {address}{others}: {_readable(text, disclosed)}")


def _reply(code: int, said: str) -> Failed:
    message = f"{WHO} answered {code}: {said}"
    if 500 <= code < 600:
        return refused("agent_refused", message, status=code)
    if 400 <= code < 500:
        return Failed(StepError("agent_unavailable", message, details={"status": code}))
    return Failed(StepError("agent_answer_malformed", f"{WHO} gave a reply that is none: {said}"))


def _readable(text: str, disclosed: Disclosed) -> str:
    masked = disclosed.mask_text(text)
    return "".join(character if character.isprintable() else " " for character in masked[:EXCERPT]).strip()
