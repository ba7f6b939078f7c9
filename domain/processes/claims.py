"""The owner of a webhook trigger's id: ids are called from outside, and unique over all processes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain import identity
from domain.event import Cause, Event, record, stored
from domain.language.parsed import WebhookUse
from domain.processes.process import Process
from domain.refusal import Forbidden, Problem


@stored("TriggerClaimed")
class TriggerClaimed(Event, frozen=True, kw_only=True):
    """A process is about to publish a webhook trigger of this id; from now on the id leads to that process.

    This lasts until another process claims the id, which is refused while the latest version of this one has it.
    """

    trigger: str
    process_id: UUID
    process: str


class Claim(msgspec.Struct, frozen=True):
    """The process that claimed an id last; its latest version need not have the trigger."""

    trigger: str
    process_id: UUID
    process: str


def fold(events: Sequence[Event]) -> Claim | None:
    """Return the claim that holds after `events`; None when there was none."""
    claimed = [event for event in events if isinstance(event, TriggerClaimed)]
    return Claim(claimed[-1].trigger, claimed[-1].process_id, claimed[-1].process) if claimed else None


def claim_trigger(trigger: str, claim: Claim | None, holder: Process | None, name: str, cause: Cause) -> list[Event]:
    """Claim the id for the process `name`; returns no events when it has it. holder: the process of `claim`.

    Raises Forbidden ``trigger_taken`` when the holder is in use and its latest version has the trigger.
    """
    id = identity.process_id(name)
    if claim is not None and claim.process_id == id:
        return []
    if holder is not None and is_held(trigger, holder):
        message = f"the webhook trigger {trigger!r} is one of {holder.name!r}; give it an id of its own"
        raise Forbidden(message, code="trigger_taken")
    return [record(TriggerClaimed, cause, trigger=trigger, process_id=id, process=name)]


def taken_problems(
    uses: Iterable[WebhookUse], name: str, claims: Mapping[str, Claim], holders: Mapping[UUID, Process], severity: str
) -> list[Problem]:
    """Return a problem for each webhook trigger of the process `name` whose id another process uses.

    claims: by the id of a trigger. holders: the processes of the claims.
    """
    problems = []
    for use in uses:
        claim = claims.get(use.name)
        holder = None if claim is None else holders.get(claim.process_id)
        if holder is not None and holder.name != name and is_held(use.name, holder):
            message = f"the webhook trigger {use.name!r} is one of {holder.name!r}"
            at, hint = use.at, "give it an id of its own"
            problems.append(Problem("trigger_taken", message, at.path, at.line, at.column, hint, severity))
    return problems


def is_held(trigger: str, holder: Process) -> bool:
    """Return whether the process is in use and its latest version has the trigger."""
    return holder.status != "archived" and trigger in webhooks_of(holder)


def webhooks_of(process: Process) -> list[str]:
    """Return the ids of the webhook triggers of its latest version, including those that are switched off."""
    return webhook_ids(process.versions[process.latest].definition) if process.latest else []


def webhook_ids(definition: dict[str, Any]) -> list[str]:
    """Return the ids of the webhook triggers in a canonical document."""
    return [trigger["id"] for trigger in definition.get("triggers", ()) if trigger["type"] == "webhook"]
