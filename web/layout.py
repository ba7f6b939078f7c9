"""The frame of every page: navigation, the reader's zone and theme, and how far the page is behind the log."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from edge.dependencies import door_of
from queries.approvals import ApprovalFilter, count_approvals
from web import wording
from web.templating import render

ZONE_COOKIE = "procession-zone"
THEME_COOKIE = "procession-theme"
THEMES = ("light", "dark")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
COUNTED = 100
NOTICES = {
    "cancelled": "The execution is cancelled.",
    "retried": "The execution goes on with a new attempt.",
    "step-retried": "A new attempt of the step is due.",
    "step-skipped": "The execution goes on without the step.",
    "decided": "The decision is recorded.",
}


class Entry(msgspec.Struct, frozen=True):
    """An entry of the navigation."""

    name: str
    icon: str
    href: str


NAVIGATION = (
    ("", (Entry("Overview", "house", "/"),)),
    ("Work", (Entry("Executions", "activity", "/executions"), Entry("Approvals", "user-check", "/approvals"))),
)


class Reader(msgspec.Struct, frozen=True):
    """Who reads a page, and how times are shown."""

    zone: tzinfo
    zone_name: str
    now: datetime

    def when(self, at: datetime | None) -> Markup:
        """Return a time in the reader's zone."""
        return wording.when(at, self.zone, self.now)


def reader_of(request: Request) -> Reader:
    """Return how the reader of `request` sees times. Default: UTC, until the browser has stated its zone."""
    name = request.cookies.get(ZONE_COOKIE, "UTC")
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        name, zone = "UTC", ZoneInfo("UTC")
    return Reader(zone, name, door_of(request).clock.now())


class StatesFreshness(Protocol):
    """How far an answer is behind the log, as every view states it."""

    @property
    def as_of_position(self) -> int:
        """The position in the log up to which the answer is complete."""

    @property
    def lag_seconds(self) -> float:
        """How old the first event is that the answer lacks; 0 if it lacks none."""


def page(
    request: Request,
    template: str,
    *,
    title: str,
    nav: str = "",
    code: int = 200,
    freshness: StatesFreshness | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return a page in its frame. nav: the entry of the navigation that it belongs to; values: for the template."""
    reader = reader_of(request)
    theme = request.cookies.get(THEME_COOKIE, "")
    frame = {
        "title": title,
        "nav": nav,
        "navigation": NAVIGATION,
        "reader": reader,
        "when": reader.when,
        "now": reader.now,
        "theme": theme if theme in THEMES else "",
        "open_approvals": _open_approvals(request) if code < 500 else 0,
        "lag": None if freshness is None else freshness.lag_seconds,
        "position": 0 if freshness is None else freshness.as_of_position,
        "notice": NOTICES.get(request.query_params.get("done", ""), ""),
        "live": freshness is not None and "as_of" not in request.query_params,
        "url_with": lambda **changes: url_with(request, changes),
    }
    return HTMLResponse(render(template, frame | values), code, {"Content-Security-Policy": POLICY})


def url_with(request: Request, changes: Mapping[str, str | None]) -> str:
    """Return the address of this page with some query parameters changed; None removes one."""
    kept = {name: value for name, value in request.query_params.items() if name not in changes}
    given = kept | {name: value for name, value in changes.items() if value is not None}
    return f"{request.url.path}?{urlencode(given)}" if given else request.url.path


def _open_approvals(request: Request) -> int:
    return count_approvals(door_of(request).reading, ApprovalFilter(statuses=["open"]), COUNTED)
