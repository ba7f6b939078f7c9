"""The notice to an agent that its later answer is no longer awaited."""

import logging
from datetime import timedelta

import msgspec

from domain.agents.calls import AbandonedAttempt, Failed
from domain.agents.kinds import HttpConfig
from gateway.exchange import post
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing

ALLOWED = timedelta(seconds=10)
logger = logging.getLogger("procession.gateway")


async def post_abandoned(outgoing: Outgoing, config: HttpConfig, abandoned: AbandonedAttempt) -> bool:
    """POST the abandoned attempt, as JSON, to the agent's cancel_url. Returns False when another try may help.

    Any status below 500, save 429, counts as received; an agent without a cancel_url needs no notice.
    """
    if config.cancel_url is None:
        return True
    disclosed = Disclosed(outgoing.policy.secrets)
    try:
        headers = disclosed.resolve_all(config.headers)
    except SecretMissing as missing:
        logger.error("agent %s cannot be notified of an abandoned attempt: %s", abandoned.agent, missing)
        return True
    headers |= {"Idempotency-Key": abandoned.idempotency_key}
    reply = await post(outgoing, config.cancel_url, headers, msgspec.json.encode(abandoned), ALLOWED, disclosed)
    if isinstance(reply, Failed):
        return reply.error.permanent
    return reply.status < 500 and reply.status != 429
