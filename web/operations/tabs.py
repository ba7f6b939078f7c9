"""The tabs of the operator's pages, and the frame that they share."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from edge.principal import Principal, principal_of
from edge.scopes import READ, READ_SETTINGS
from web.layout import page

TABS = (
    ("Overview", "/operations", READ),
    ("Timers", "/operations/timers", READ),
    ("Batches", "/operations/batches", READ),
    ("Set aside", "/operations/set-aside", READ),
    ("Dead letters", "/operations/dead-letters", READ),
    ("Workers", "/operations/workers", READ),
    ("Sizes", "/operations/sizes", READ),
    ("Settings", "/operations/settings", READ_SETTINGS),
)
# Figures that change without an event: leases, claims, sizes, builds.
EVERY_SECONDS = 10


def tabs_of(principal: Principal) -> list[tuple[str, str]]:
    """Return the tabs that a principal may open; one that is limited to processes sees their timers and
    batches alone."""
    return [
        (name, href)
        for name, href, permission in TABS
        if principal.may(permission) and (not principal.processes or name in ("Timers", "Batches"))
    ]


def tab(request: Request, template: str, *, name: str, **values: Any) -> HTMLResponse:
    """Return one of the operator's pages in its frame. name: of its tab."""
    values = {"title": name, "nav": "Timers" if name == "Timers" else "Operations", **values}
    return page(request, f"operations/{template}", tab=name, tabs=tabs_of(principal_of(request)), **values)
