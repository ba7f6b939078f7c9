"""Claiming the ids of webhook triggers, before the version that has them is published."""

from collections.abc import Sequence
from uuid import UUID

from commands.deciding import Guards
from domain.event import Cause, Event
from domain.identity import trigger_id
from domain.processes.claims import claim_trigger, webhook_ids
from domain.processes.claims import fold as fold_claim
from domain.processes.events import ProcessPublished
from domain.processes.process import fold as fold_process
from store.log import Log
from store.unit import Unit


def claim_webhooks(log: Log, published: Sequence[Event], cause: Cause) -> Guards:
    """Claim every webhook trigger that `published` brings; the claims, which the publication then rests on.

    A claim is taken over only from a process that has no such trigger, and rests on that in turn, so that of two
    processes that want one id at the same moment exactly one can publish. A claim that no publication follows keeps
    nobody away. Raises Forbidden (trigger_taken) or Conflict.
    """
    return tuple(
        _claim(log, trigger, event.name, cause)
        for event in published
        if isinstance(event, ProcessPublished)
        for trigger in webhook_ids(event.definition)
    )


def _claim(log: Log, trigger: str, process: str, cause: Cause) -> tuple[UUID, int]:
    stream = trigger_id(trigger)
    events = log.stream(stream)
    claim = fold_claim(events)
    history = log.stream(claim.process_id) if claim is not None else []
    new = claim_trigger(trigger, claim, fold_process(history), process, cause)
    if new:
        guards = ((claim.process_id, len(history)),) if claim is not None else ()
        log.append(Unit(stream, len(events), new, guards=guards))
    return stream, len(events) + len(new)
