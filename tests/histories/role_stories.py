"""What happened in the golden history of roles. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.event import Cause, Event
from domain.identity import process_id, roles_id
from domain.roles.decisions import DRAFT, PUBLISHED, RolesOf, change_roles

Told = tuple[UUID, list[Event]]

NAME = "golden-roles"
ID = process_id(NAME)
BEGIN = datetime(2026, 12, 1, 8, tzinfo=UTC)


def roles(_: Any) -> Told:
    """Recorded after an upgrade, changed by a draft, by a publication and on the published version."""
    upgraded = {("read", "clerk"): "executor", ("read", "archive"): "informed"}
    drafted = {("read", "clerk"): "executor", ("read", "team:claims"): "monitor", ("decide", "judge"): "executor"}
    published = {("read", "clerk"): "executor", ("decide", "judge"): "monitor", ("decide", "clerk"): "executor"}
    events: list[Event] = []
    steps = [
        (RolesOf(ID, NAME, PUBLISHED, 1), {}, upgraded, "upgraded"),
        (RolesOf(ID, NAME, DRAFT), upgraded, drafted, "drafted"),
        (RolesOf(ID, NAME, PUBLISHED, 2), drafted, published, "published"),
    ]
    for hours, (of, before, after, reason) in enumerate(steps):
        cause = Cause(BEGIN + timedelta(hours=hours), "user:ilse", "request", "tie")
        events += change_roles(of, before, after, reason, cause)
    return roles_id(ID), events


STORIES: dict[str, Callable[[Any], Told]] = {"roles": roles}
