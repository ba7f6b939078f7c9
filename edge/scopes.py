"""The permissions that each scope of a key gives. A route states the permission that it requires; others are denied."""

from collections.abc import Iterable
from typing import Any

from commands.command import CommandScope
from domain.keys.scopes import KeyScope, agent_of

READ = "read"
READ_DESCRIPTION = "description:read"
READ_APPROVALS = "approvals:read"
READ_CONFIGURATION = "agents:configuration"
READ_KEYS = "keys:read"
READ_INBOX = "inbox:read"
READ_SETTINGS = "settings:read"
READ_SENSITIVE = "sensitive:read"
READ_TEMPLATES = "templates:read"
"""Every template of the organisation, private ones too."""
STATED = "x-permission"
"""The name under which a route states its permission, also in the description of the API."""
LISTED = "x-listed"
"""Marks a route whose answer holds only what a principal that is limited to processes sees."""

# Every key may read how the API is used.
_EVERYBODY = frozenset((READ_DESCRIPTION,))
_VIEWER = _EVERYBODY | {READ, READ_APPROVALS, READ_INBOX}
EVERYTHING = (
    _VIEWER | {READ_CONFIGURATION, READ_KEYS, READ_SETTINGS, READ_SENSITIVE, READ_TEMPLATES} | frozenset(CommandScope)
)
GRANTS: dict[KeyScope, frozenset[str]] = {
    KeyScope.VIEWER: _VIEWER,
    KeyScope.OPERATOR: _VIEWER
    | {
        CommandScope.EXECUTIONS_WRITE,
        CommandScope.STEPS_REPAIR,
        CommandScope.TIMERS_WRITE,
        CommandScope.SCHEDULES_WRITE,
        CommandScope.ALERTS_WRITE,
        CommandScope.OPERATIONS_WRITE,
        CommandScope.COSTS_WRITE,
    },
    KeyScope.DESIGNER: _VIEWER | {CommandScope.PROCESSES_WRITE, CommandScope.TEMPLATES_WRITE},
    KeyScope.APPROVER: _EVERYBODY | {READ_APPROVALS, CommandScope.APPROVALS_DECIDE},
    KeyScope.ADMIN: EVERYTHING,
    KeyScope.ACT_AS: _EVERYBODY,
}
AGENT_GRANTS: frozenset[str] = _EVERYBODY | {
    CommandScope.STEPS_ANSWER,
    CommandScope.STEPS_REPAIR,
    READ_INBOX,
    CommandScope.INBOX_WRITE,
}
"""The permissions of ``agent:NAME``: its own attempts and inbox, and repairs of steps that the agent monitors."""


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    """Return what a key with these scopes may do; an agent's scope is for what is its own."""
    found: set[str] = set()
    for scope in scopes:
        found |= GRANTS[KeyScope(scope)] if agent_of(scope) is None else AGENT_GRANTS
    return frozenset(found)


def requires(permission: str, *, listed: bool = False) -> dict[str, Any]:
    """Return what a route declares to state its permission.

    listed: the route limits its answer to visible processes by itself.
    """
    return {"openapi_extra": {STATED: permission, **({LISTED: True} if listed else {})}}
