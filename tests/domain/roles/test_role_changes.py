"""What changes roles: an event for each difference, and nothing for none."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.event import Cause
from domain.roles.decisions import RolesOf, change_roles
from domain.roles.effective import ROLES
from domain.roles.events import RoleAssigned, RoleRevoked

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:ilse", "cause")
OF = RolesOf(UUID(int=1), "claim", "draft")
DRAWN = st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), st.sampled_from(ROLES))


def test_each_difference_is_an_event_with_its_actor_and_reason() -> None:
    before = {("a", "x"): "executor", ("a", "y"): "monitor", ("b", "x"): "informed"}
    after = {("a", "x"): "monitor", ("a", "z"): "executor", ("b", "x"): "informed"}
    events = change_roles(OF, before, after, "drafted", CAUSE)
    assert [(type(event), event.step, event.agent, event.role) for event in events] == [
        (RoleAssigned, "a", "x", "monitor"),
        (RoleRevoked, "a", "y", "monitor"),
        (RoleAssigned, "a", "z", "executor"),
    ]
    assert {(event.process_id, event.process, event.of, event.reason, event.actor) for event in events} == {
        (UUID(int=1), "claim", "draft", "drafted", "user:ilse")
    }


@given(DRAWN, DRAWN)
def test_the_events_lead_from_the_roles_before_to_those_after(before: dict, after: dict) -> None:
    roles = dict(before)
    for event in change_roles(OF, before, after, "", CAUSE):
        if isinstance(event, RoleAssigned):
            assert roles.get((event.step, event.agent)) != event.role
            roles[event.step, event.agent] = event.role
        else:
            assert roles.pop((event.step, event.agent)) == event.role
    assert roles == after
