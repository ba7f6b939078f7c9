"""Entries of an agent out of the log, for events before it had its role, or no longer kept in its inbox."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.inbox.concerns import RETRIABLE, TYPES, WITHDRAWS
from projections.facts import Fact, read_facts
from projections.inbox import InformedAgentNotifier
from projections.inbox.entries import entry_of, is_of_a_process, process_of, step_of
from queries.inbox.interests import Interest, interests_of
from queries.inbox.views import InboxEntry, InboxPage, InboxPlace, entry_view
from queries.reading import Freshness
from store.reading import reached, read_range

WINDOW = 2_000
"""The positions that one request reads; a page may be empty, and go on."""
_IDS = ("stream", "process_id", "execution_id")
_TOPICS = [*TYPES, *sorted(WITHDRAWS - TYPES.keys())]


def catch_up(
    connection: Connection[DictRow],
    agent: str,
    place: InboxPlace,
    limit: int,
    freshness: Freshness,
    within: Sequence[str],
) -> InboxPage:
    """Return the entries of the next positions, by the roles and the filter that the agent has now."""
    interests = interests_of(connection, agent, place.position, within=within, always=True)
    until = min(place.position + WINDOW, place.until)
    found = read_range(connection, place.position, until, _TOPICS)
    until = reached(found, until)
    rows = [(position, stream.bytes, *others) for position, stream, *others in found]
    if len(rows) > 1 and rows[-1][0] == until < place.until and rows[-1][3] in RETRIABLE:
        rows.pop()  # the event that follows says whether this one is final
        until = rows[-1][0]
    of_steps: dict[tuple[bytes, str], list[Interest]] = {}
    for each in interests.items:
        of_steps.setdefault((_bytes(each), each.step), []).append(each)
    facts = InformedAgentNotifier().fold(read_facts(rows, _TOPICS, connection)).entries.facts.values()
    items: list[InboxEntry] = []
    for fact in facts:
        if not is_of_a_process(fact):
            continue
        role = _role(fact, of_steps.get((process_of(fact), step_of(fact)), []))
        if role is not None:
            items.append(entry_view(agent, _row(fact), role))
            if len(items) == limit:
                until = fact.position
                break
    place = InboxPlace(until, place.until, freshness.epoch)
    has_more = place.position < place.until or place.until < freshness.as_of_position
    return InboxPage(items, place.cursor, has_more, False, freshness.as_of_position, freshness.lag_seconds)


def _bytes(interest: Interest) -> bytes:
    return bytes.fromhex(interest.process_id.replace("-", ""))


def _role(fact: Fact, interests: list[Interest]) -> str | None:
    """Return the role by which an event is of interest; None: it is not."""
    for each in interests:
        if fact.topic in each.types:
            labels = () if each.labels is None else fact.origin.labels
            if each.labels is None or not set(each.labels).isdisjoint(labels):
                return each.role
    return None


def _row(fact: Fact) -> dict[str, Any]:
    row = msgspec.structs.asdict(entry_of(fact))
    return row | {name: None if row[name] is None else UUID(bytes=row[name]) for name in _IDS}
