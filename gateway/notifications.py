"""Notifications: each goes through its channels, one after the other."""

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed
from gateway.adapter import Channel
from gateway.channels import EMAIL, SLACK, WEBHOOK, Channels
from gateway.email import EmailChannel
from gateway.failures import refused
from gateway.outgoing import Outgoing
from gateway.slack import SlackChannel
from gateway.webhook import WebhookChannel


class Notifications:
    """The configured channels. A call's message is the text, its parameters name the channels and the recipients."""

    def __init__(self, channels: Channels, outgoing: Outgoing) -> None:
        self._channels: dict[str, Channel] = {}
        if channels.webhook_secret is not None:
            self._channels[WEBHOOK] = WebhookChannel(channels.webhook_secret, channels.webhook_url, outgoing)
        if channels.slack_url is not None:
            self._channels[SLACK] = SlackChannel(channels.slack_url, channels.webhook_secret, outgoing)
        if channels.mail is not None and channels.sender is not None:
            self._channels[EMAIL] = EmailChannel(
                channels.mail, channels.sender, outgoing.clock, outgoing.policy.addresses
            )

    def unfit(self, call: AgentCall) -> Failed | None:
        """Return why one of the channels can never deliver it; then none is tried. None when all can."""
        if not call.parameters.get("channels"):
            return refused("channel_not_configured", "the step names no channel")
        for name in call.parameters["channels"]:
            channel = self._channels.get(name)
            if channel is None:
                message = f"the channel {name} is not configured where the worker runs"
                return refused("channel_not_configured", message, channel=name)
            if (failed := channel.unfit(call)) is not None:
                return _of(name, failed)
        return None

    async def answer(self, call: AgentCall) -> Answer:
        """Deliver through each channel and return the ids; the first channel that fails ends the delivery.

        After a retry, channels before that one deliver again, under the same ids.
        """
        if not isinstance(call.message, str):
            call = msgspec.structs.replace(call, message=msgspec.json.encode(call.message).decode())
        delivered = []
        for name in call.parameters["channels"]:
            id = message_id(call, name)
            failed = await self._channels[name].send(call, id)
            if failed is not None:
                return _of(name, failed)
            delivered.append({"channel": name, "id": id})
        return Completed({"delivered": delivered})


def message_id(call: AgentCall, channel: str) -> str:
    """Return the id of a message, the same for every attempt of the step: ``execution:step:channel``.

    It has no full stop, as Standard Webhooks requires: that of a compensation's step id becomes a colon.
    """
    return f"{call.execution_id}:{call.step.replace('.', ':')}:{channel}"


def _of(channel: str, failed: Failed) -> Failed:
    details = {"channel": channel, **(failed.error.details or {})}
    return Failed(msgspec.structs.replace(failed.error, details=details))
