"""Filters: OR within a field, AND between fields, and never more than roles permit."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import EVENTS
from domain.event import Cause
from domain.inbox.concerns import DEFAULT_TYPES, OF_NO_STEP, OUTCOMES, RETRIABLE, TYPES, WITHDRAWS
from domain.inbox.decisions import acknowledge, set_filter
from domain.inbox.events import InboxFilterSet, NotificationsAcknowledged
from domain.inbox.filters import InboxFilter
from tests.projections.stories import BEGIN
from tests.scenario import refused, scenario

CAUSE = Cause(BEGIN, "agent:archive")
given_newest = scenario(lambda past: next(iter(past), None))
NAMES = st.lists(st.sampled_from("abc"), max_size=2)
FILTERS = st.builds(
    InboxFilter,
    processes=NAMES,
    steps=NAMES,
    types=st.lists(st.sampled_from(sorted(TYPES)), max_size=3),
    outcomes=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=2),
    labels=NAMES,
)


def passing(filter: InboxFilter) -> set[tuple[Any, ...]]:
    return {
        (process, step, type, outcome, label)
        for process in "abc"
        for step in "abc"
        for type in filter.types_for("monitor")
        for outcome in OUTCOMES
        for label in "abc"
        if filter.permits(process, step) and filter.passes(outcome, [label])
    }


@given(FILTERS, FILTERS)
def test_each_field_narrows_and_fields_are_joined_by_and(one: InboxFilter, other: InboxFilter) -> None:
    if one.types and other.types and not set(one.types) & set(other.types):
        return
    both = {
        field: sorted(set(a) & set(b)) if a and b else a or b
        for field in InboxFilter.__struct_fields__
        for a, b in [(getattr(one, field), getattr(other, field))]
    }
    disjoint = any(getattr(one, f) and getattr(other, f) and not both[f] for f in both)
    if not disjoint and bool(one.types) == bool(other.types):
        assert passing(InboxFilter(**both)) == passing(one) & passing(other)


def test_the_types_of_entries_are_events_and_those_by_default_are_among_them() -> None:
    for named in (TYPES.keys(), WITHDRAWS, RETRIABLE, OF_NO_STEP, *DEFAULT_TYPES.values()):
        assert set(named) <= EVENTS.keys()
    assert TYPES.keys() >= RETRIABLE
    assert InboxFilter().types_for("executor") == ()


def test_a_filter_that_holds_is_not_set_again_and_unknown_words_are_refused() -> None:
    some = InboxFilter(steps=["read"])
    set_event = InboxFilterSet(at=BEGIN, actor="agent:archive", agent="archive", filter=some)
    given_newest().when(set_filter, "archive", some, CAUSE).then(set_event)
    given_newest(set_event).when(set_filter, "archive", some, CAUSE).then()
    given_newest().when(set_filter, "archive", InboxFilter(), CAUSE).then()
    given_newest().when(set_filter, "archive", InboxFilter(types=["StepStarted"]), CAUSE).then(refused("malformed"))


def test_acknowledgements_move_on_and_not_beyond_the_log() -> None:
    moved = NotificationsAcknowledged(at=BEGIN, actor="agent:archive", agent="archive", until=7)
    given_newest().when(acknowledge, "archive", 7, 9, CAUSE).then(moved)
    given_newest(moved).when(acknowledge, "archive", 7, 9, CAUSE).then()
    given_newest(moved).when(acknowledge, "archive", 3, 9, CAUSE).then()
    given_newest(moved).when(acknowledge, "archive", 10, 9, CAUSE).then(refused("cursor_beyond_log"))
