"""The webhooks of an agent's inbox: add, remove, retry. Rows hold them beside the positions of their deliveries."""

import logging
from typing import Annotated
from uuid import UUID

import msgspec

from commands.command import AgentName, Beside, Command, CommandScope
from commands.deciding import Identified, persist, unidentified
from commands.receipt import Receipt
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import REFERENCE
from domain.event import Cause
from domain.identity import agent_id, new_id
from domain.refusal import AgentNotFound, Forbidden, Malformed, NotFound, Problem
from store import inbox_webhooks
from store.log import Log
from store.unit import Unit

logger = logging.getLogger(__name__)

MOST = 10
"""The most webhooks of one agent."""

WebhookId = Annotated[UUID, Beside("webhook")]


class AddInboxWebhook(Command, frozen=True):
    """Deliver the entries of an agent's inbox to an address, from now on. secret: a reference, as `${NAME}`."""

    scope = CommandScope.AGENTS_WRITE
    name: AgentName
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$", max_length=2_000)]
    secret: Annotated[str, msgspec.Meta(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]{0,127}\}$")]


class RemoveInboxWebhook(Command, frozen=True):
    """Remove a webhook."""

    scope = CommandScope.AGENTS_WRITE
    name: AgentName
    webhook_id: WebhookId


class RetryInboxWebhook(Command, frozen=True):
    """Resume a webhook, and try its dead deliveries again. event_id: only this one."""

    scope = CommandScope.OPERATIONS_WRITE
    name: AgentName
    webhook_id: WebhookId
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class InboxWebhookNotFound(NotFound):
    """The agent has no such webhook."""

    code = "webhook_not_found"


class InboxWebhookCommands:
    """The handlers of the commands above. They record no event: the rows state who added what."""

    def __init__(self, log: Log, policy: OutgoingPolicy) -> None:
        self._log = log
        self._policy = policy

    def add(self, command: AddInboxWebhook, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Add a webhook; the same address and secret again: a duplicate. Raises refusals."""
        self._check(command)
        if not self._log.existing([agent_id(command.name)]):
            raise AgentNotFound(f"there is no agent {command.name!r}", agent=command.name)
        id, duplicate = new_id(), False
        with self._log.datastore.reading() as connection:
            found = inbox_webhooks.find(connection, command.name, command.url)
            if found is not None and found[1] != command.secret:
                raise Forbidden("the agent has a webhook at this address with another secret", code="webhook_exists")
            if found is not None:
                id, duplicate = found[0], True
            elif not inbox_webhooks.add(connection, id, command.name, command.url, command.secret, cause.actor, MOST):
                raise Forbidden(f"an agent has at most {MOST} webhooks", code="too_many_webhooks")
        logger.info("%s added the webhook %s of the agent %s", cause.actor, id, command.name)
        return self._answer(_receipt(command.name, id, duplicate=duplicate), identified)

    def remove(self, command: RemoveInboxWebhook, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Remove a webhook and its dead deliveries. Raises InboxWebhookNotFound."""
        with self._log.datastore.reading() as connection:
            if not inbox_webhooks.remove(connection, command.name, command.webhook_id):
                raise _not_found()
        logger.info("%s removed the webhook %s of the agent %s", cause.actor, command.webhook_id, command.name)
        return self._answer(_receipt(command.name, command.webhook_id), identified)

    def retry(self, command: RetryInboxWebhook, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Resume the webhook; facts hold how many deliveries are tried again. Raises InboxWebhookNotFound."""
        with self._log.datastore.reading() as connection:
            found = inbox_webhooks.retry(connection, command.name, command.webhook_id, command.event_id)
        if found is None:
            raise _not_found()
        logger.info("%s resumed the webhook %s, %d deliveries", cause.actor, command.webhook_id, found)
        receipt = _receipt(command.name, command.webhook_id)
        return self._answer(msgspec.structs.replace(receipt, facts={**receipt.facts, "deliveries": found}), identified)

    def _check(self, command: AddInboxWebhook) -> None:
        problems = []
        reference = REFERENCE.fullmatch(command.secret)
        refused = None if reference is None else self._policy.secrets.problem(reference[1], "secret")
        if refused is not None:
            problems.append(refused)
        try:
            denied = self._policy.refuses_url(command.url)
        except ValueError:
            problems.append(Problem("invalid_value", "this is no address that can be called", "url"))
        else:
            if denied:
                message = "calls to this address are denied where Procession runs"
                problems.append(Problem("address_denied", message, "url"))
        if problems:
            raise Malformed(problems[0].message, problems)

    def _answer(self, receipt: Receipt, identified: Identified) -> Receipt:
        """Return the receipt, kept under the key of the command if it has one."""

        def attempt() -> Receipt:
            answered = identified(receipt)
            if answered is None:
                return msgspec.structs.replace(receipt, position=self._log.last_position())
            unit = Unit(receipt.stream, 0, [], answered=answered)
            return msgspec.structs.replace(receipt, position=self._log.append(unit))

        return persist(self._log, attempt, receipt.stream)


def _receipt(agent: str, id: UUID, *, duplicate: bool = False) -> Receipt:
    return Receipt(id, 0, {"name": agent, "webhook_id": str(id)}, duplicate=duplicate)


def _not_found() -> InboxWebhookNotFound:
    return InboxWebhookNotFound("the agent has no such webhook")
