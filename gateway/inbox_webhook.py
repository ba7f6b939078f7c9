"""One delivery to a webhook of an inbox, or its verification: a POST of JSON, signed by Standard Webhooks."""

import hmac
import secrets
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from domain.agents.calls import Failed
from domain.jsonvalue import parse_json
from domain.refusal import Malformed
from gateway.exchange import Reply, failure, post
from gateway.failures import misconfigured, refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing
from gateway.standard_webhooks import key_of, signed
from gateway.webhook import hide

ALLOWED = timedelta(seconds=10)
GONE, TOO_LARGE = 410, 413
"""Statuses after which no other try follows: the receiver is gone for good; it never takes this body."""
WHO = "the webhook"


async def verify(outgoing: Outgoing, url: str, secret: str) -> Failed | None:
    """Return why the receiver does not prove that it expects deliveries; None: it repeats a challenge."""
    challenge = secrets.token_urlsafe(24)
    reply = await _posted(
        outgoing,
        url,
        secret,
        f"msg_verification_{secrets.token_hex(8)}",
        {"type": "verification", "challenge": challenge},
    )
    if isinstance(reply, Failed):
        return reply
    return await reply.read(partial(_proved, challenge=challenge))


async def deliver_entry(outgoing: Outgoing, url: str, secret: str, id: str, content: object) -> Failed | None:
    """Deliver `content`, which every 2xx accepts. id: of the entry, the same at each try."""
    reply = await _posted(outgoing, url, secret, id, content)
    return reply if isinstance(reply, Failed) else None


async def _posted(outgoing: Outgoing, url: str, secret: str, id: str, content: object) -> Reply | Failed:
    disclosed = Disclosed(outgoing.policy.secrets)
    hide(url, disclosed)
    try:
        key = key_of(disclosed.resolve(secret))
    except (SecretMissing, ValueError) as error:
        return misconfigured(str(error), WHO)
    body = msgspec.json.encode(content)
    reply = await post(outgoing, url, signed(key, id, outgoing.clock.now(), body), body, ALLOWED, disclosed, WHO)
    if isinstance(reply, Failed) or 200 <= reply.status < 300:
        return reply
    return await reply.read(partial(failure, who=WHO))


def _proved(reply: Reply, challenge: str) -> Failed | None:
    try:
        body: Any = parse_json(reply.body)
    except Malformed:
        body = None
    answered = body.get("challenge") if isinstance(body, dict) else None
    if isinstance(answered, str) and hmac.compare_digest(answered.encode(errors="replace"), challenge.encode()):
        return None
    return refused("challenge_failed", f"{WHO} does not repeat the challenge that proves that it expects deliveries")
