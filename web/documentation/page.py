"""The page of the documentation: a list of all operations that words narrow down."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.scopes import GRANTS, READ_DESCRIPTION, requires
from web.documentation.operations import OPEN, OperationGroup, groups_of
from web.forms import PageParameters
from web.layout import page

Description = Callable[[], dict[str, Any]]
"""Returns the description of the API."""

router = APIRouter()


class DocumentationParameters(PageParameters):
    """q: words that an operation has; all of them."""

    q: Annotated[str, Query(max_length=100)] = ""


@router.get("/docs", **requires(READ_DESCRIPTION, listed=True))
def list_(request: Request, given: Annotated[DocumentationParameters, Query()]) -> Response:
    """Return the page of the operations, those with the words alone."""
    description: Description = request.app.state.description
    every = _groups(description)
    words = given.q.lower().split()
    shown = [
        msgspec.structs.replace(group, operations=found)
        for group in every
        if (found := [each for each in group.operations if each.matches(words)])
    ]
    return page(
        request,
        "documentation.html",
        title="The HTTP API",
        nav="HTTP API",
        groups=shown,
        given=given,
        count=sum(len(group.operations) for group in shown),
        total=sum(len(group.operations) for group in every),
        holders=_holders,
        unfolded=bool(words) and sum(len(group.operations) for group in shown) == 1,
    )


@lru_cache(4)
def _groups(description: Description) -> list[OperationGroup]:
    return groups_of(description())


def _holders(permission: str) -> str:
    """Return the scopes of keys that have a permission, in words."""
    if permission == OPEN:
        return "no key: it shows a secret or a token of its own, or answers everybody"
    found = [scope.value for scope, granted in GRANTS.items() if permission in granted]
    return f"{permission}; scopes {', '.join(found)}" if found else f"{permission}; scope agent:NAME"
