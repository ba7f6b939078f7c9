"""The dependency of every guarded route: it admits a request with the permission that the route states."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request

from edge.dependencies import door_of
from edge.held_positions import require_held_positions
from edge.principal import Principal, admit, principal_of
from edge.refusals import NotPermitted
from edge.scopes import READ, STATED
from edge.sensitive import SensitiveViews
from edge.visibility import require_visible


async def _admitted(request: Request) -> None:
    """Admit a request with the permission that its route states; a route that states none is closed."""
    stated = (getattr(request.scope["route"], "openapi_extra", None) or {}).get(STATED)
    if stated is None:
        raise NotPermitted("this route states no permission", permission="")
    await require_visible(request, await admit(request, stated))
    await require_held_positions(request)


ADMITTED = Depends(_admitted)


async def _caller(request: Request) -> Principal:
    return principal_of(request)


Caller = Annotated[Principal, Depends(_caller)]
"""The principal of a request that was admitted."""


async def _views(request: Request) -> SensitiveViews:
    return SensitiveViews(principal_of(request), door_of(request).sensitive)


Masking = Annotated[SensitiveViews, Depends(_views)]
"""Masks what the caller may not see in views."""


def deciders_of(caller: Principal) -> tuple[str, ...] | None:
    """Return the names of whom the approvals are that a caller without the permission to read all may see."""
    return None if caller.may(READ) else approver_names(caller)


def approver_names(caller: Principal) -> tuple[str, ...]:
    """Return the names by which approvals name the caller: its own, and those of its teams."""
    return (caller.actor.removeprefix("user:"), *sorted(caller.teams))


def monitoring_teams(caller: Principal, stated: Sequence[str]) -> list[str] | None:
    """Return the teams whose steps a caller reads about: those stated, else its own; None: every team."""
    return list(stated) or sorted(caller.teams) or None


def teams_of(request: Request) -> tuple[str, ...]:
    """Return the teams of the caller."""
    return tuple(sorted(principal_of(request).teams))
