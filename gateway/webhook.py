"""The channel ``webhook``: a POST of JSON, signed by Standard Webhooks.

The body is ``{type: "notification", timestamp, data: {execution_id, step, process, version, message, subject?}}``. The
headers ``webhook-id`` and ``Idempotency-Key`` hold the id of the message, the same for every attempt.
"""

from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import msgspec

from domain.agents.calls import AgentCall, Failed
from gateway.channels import is_web_address
from gateway.exchange import failure, post
from gateway.failures import refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed
from gateway.standard_webhooks import key_of, signed

ALLOWED = timedelta(seconds=30)


class WebhookChannel:
    """The channel to the step's own address, else to `url`. secret: text or ``whsec_…``, else ValueError."""

    def __init__(self, secret: str, url: str | None, outgoing: Outgoing) -> None:
        self._key = key_of(secret)
        self._url = url
        self._outgoing = outgoing

    def unfit(self, call: AgentCall) -> Failed | None:
        """Return why the address is missing or unusable, None when it can be used."""
        url = call.parameters.get("url", self._url)
        if url is None:
            message = "the step has no url, and no address for webhooks is configured (PROCESSION_WEBHOOK_URL)"
            return refused("no_url", message)
        if not isinstance(url, str) or not is_web_address(url.strip()):
            return refused("url_invalid", "the url of the webhook is not an address like https://host/path")
        return None

    async def send(self, call: AgentCall, id: str) -> Failed | None:
        """POST the notification."""
        disclosed = Disclosed()
        if self._url is not None:
            hide(self._url, disclosed)
        url = str(call.parameters.get("url", self._url)).strip()
        return await deliver(
            self._outgoing, url, _content(call, self._outgoing.clock.now()), id, self._key, "the webhook", disclosed
        )


def _content(call: AgentCall, now: datetime) -> dict[str, object]:
    data = {
        "execution_id": call.execution_id,
        "step": call.step,
        "process": call.process,
        "version": call.version,
        "message": call.message,
    }
    if "subject" in call.parameters:
        data["subject"] = call.parameters["subject"]
    timestamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": "notification", "timestamp": timestamp, "data": data}


async def deliver(
    outgoing: Outgoing, url: str, content: object, id: str, key: bytes | None, who: str, disclosed: Disclosed
) -> Failed | None:
    """POST `content` as JSON under `id`, signed if there is a key; every 2xx means acceptance."""
    body = msgspec.json.encode(content)
    headers = {"Accept": "application/json, text/*;q=0.5", "Idempotency-Key": id}
    headers |= signed(key, id, outgoing.clock.now(), body) if key is not None else {"webhook-id": id}
    reply = await post(outgoing, url, headers, body, ALLOWED, disclosed, who)
    if isinstance(reply, Failed):
        return reply
    return None if 200 <= reply.status < 300 else await reply.read(partial(failure, who=who))


def hide(url: str, disclosed: Disclosed) -> None:
    """Mask the secret parts of the address where a receiver repeats it."""
    parts = urlsplit(url)
    end = parts.path.rpartition("/")[2]
    for part in (url, parts.path.lstrip("/"), end, parts.query, parts.username, parts.password):
        if part:
            disclosed.add(part)
