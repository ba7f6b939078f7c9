"""The channel ``slack``: a POST of ``{"text": …}`` to an incoming webhook of Slack or of a compatible chat."""

from domain.agents.calls import AgentCall, Failed
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed
from gateway.standard_webhooks import key_of
from gateway.webhook import deliver, hide


class SlackChannel:
    """The channel to `url`, which is itself the secret.

    secret: signs as for webhooks, for receivers that check; None: unsigned.
    """

    def __init__(self, url: str, secret: str | None, outgoing: Outgoing) -> None:
        self._url = url
        self._key = None if secret is None else key_of(secret)
        self._outgoing = outgoing

    def unfit(self, call: AgentCall) -> Failed | None:
        """Return None: no notification is known to be unfit beforehand."""
        return None

    async def send(self, call: AgentCall, id: str) -> Failed | None:
        """POST the notification."""
        disclosed = Disclosed()
        hide(self._url, disclosed)
        return await deliver(self._outgoing, self._url, {"text": call.message}, id, self._key, "Slack", disclosed)
