"""Claims of webhook trigger ids, in the unit that publishes the version with these triggers."""

from collections.abc import Sequence

from commands.deciding import Together
from domain.event import Cause, Event
from domain.identity import trigger_id
from domain.language import Parsed
from domain.processes.claims import claim_trigger, taken_problems, webhook_ids, webhooks_of
from domain.processes.claims import fold as fold_claim
from domain.processes.events import ProcessPublished
from domain.processes.process import Process
from domain.processes.process import fold as fold_process
from domain.refusal import Problem
from store.log import Log
from store.unit import StreamChange


def claim_webhooks(log: Log, published: Sequence[Event], cause: Cause) -> Together:
    """Return the claims of every webhook trigger in `published`, and the versions that the claims rest on.

    A process takes a claim over only from a process that has no such trigger, and the claim rests on that. So if two
    processes claim one id at the same moment, exactly one publishes. Raises Forbidden (trigger_taken).
    """
    together = Together()
    for event in published:
        if isinstance(event, ProcessPublished):
            for trigger in webhook_ids(event.definition):
                together += _claim(log, trigger, event.name, cause)
    return together


def reclaim_webhooks(log: Log, process: Process, cause: Cause) -> Together:
    """Return the claims of the webhook triggers of a process that is restored. Raises Forbidden (trigger_taken)."""
    together = Together()
    for trigger in webhooks_of(process):
        together += _claim(log, trigger, process.name, cause)
    return together


def taken_webhooks(log: Log, parsed: Parsed, severity: str) -> list[Problem]:
    """Return a problem for each webhook trigger of a definition whose id another process uses."""
    ids = {use.name: trigger_id(use.name) for use in parsed.webhooks}
    streams = log.streams(ids.values()) if ids else {}
    folded = {name: fold_claim(streams.get(id, [])) for name, id in ids.items()}
    claims = {name: claim for name, claim in folded.items() if claim is not None}
    histories = log.streams({claim.process_id for claim in claims.values()}) if claims else {}
    holders = {id: process for id, events in histories.items() if (process := fold_process(events)) is not None}
    return taken_problems(parsed.webhooks, parsed.name or "", claims, holders, severity)


def _claim(log: Log, trigger: str, process: str, cause: Cause) -> Together:
    stream = trigger_id(trigger)
    events = log.stream(stream)
    claim = fold_claim(events)
    history = log.stream(claim.process_id) if claim is not None else []
    new = claim_trigger(trigger, claim, fold_process(history), process, cause)
    if not new:
        return Together(guards=((stream, len(events)),))
    guards = ((claim.process_id, len(history)),) if claim is not None else ()
    return Together(guards, (StreamChange(stream, len(events), new),))
