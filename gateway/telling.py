"""Telling an agent that an attempt which it took to answer later is not waited for any more."""

import logging
from datetime import timedelta

import msgspec

from domain.agents.calls import Failed, GivenUp
from domain.agents.kinds import HttpConfig
from gateway.exchange import post
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing

ALLOWED = timedelta(seconds=10)
logger = logging.getLogger("procession.gateway")


async def tell(outgoing: Outgoing, config: HttpConfig, given_up: GivenUp) -> bool:
    """POST what was given up, as JSON, to the agent's cancel_url. False when that is worth another try.

    An agent that answers with any status below 500, save 429, knows; one without a cancel_url need not.
    """
    if config.cancel_url is None:
        return True
    disclosed = Disclosed()
    try:
        headers = disclosed.resolve_all(config.headers)
    except SecretMissing as missing:
        logger.error("agent %s cannot be told of what was given up: %s", given_up.agent, missing)
        return True
    headers |= {"Idempotency-Key": given_up.idempotency_key}
    reply = await post(outgoing, config.cancel_url, headers, msgspec.json.encode(given_up), ALLOWED, disclosed)
    if isinstance(reply, Failed):
        return reply.error.permanent
    return reply.status < 500 and reply.status != 429
