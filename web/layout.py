"""The frame of every page: navigation, the reader's zone and theme, and how far the page is behind the log."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain.analytics.windows import analytics_window
from domain.calendar.zones import parse_zone
from domain.refusal import Problem
from edge.admitted import approver_names, deciders_of
from edge.dependencies import door_of
from edge.principal import ANONYMOUS, Principal
from edge.refusals import malformed
from edge.scopes import READ, READ_APPROVALS, READ_DESCRIPTION, READ_KEYS
from edge.sessions import COOKIE, LONGEST, BrowserSession
from queries.alerts import alerts_counted
from queries.approvals import ApprovalFilter, approvals_counted
from queries.counts import RowCount, count_all
from web import wording
from web.keyboard import GO, keyboard
from web.templating import render

ZONE_COOKIE = "procession-zone"
CHOSEN_COOKIE = "procession-chosen-zone"
"""The zone that a person set; `ZONE_COOKIE` holds that of the browser."""
THEME_COOKIE = "procession-theme"
KEYS_COOKIE = "procession-keys"
THEMES = ("light", "dark")
COUNTED = 100
NOTICES = {
    "cancelled": "The execution is cancelled.",
    "retried": "The execution goes on with a new attempt.",
    "step-retried": "A new attempt of the step is due.",
    "step-reassigned": "The step has another agent.",
    "step-skipped": "The execution goes on without the step.",
    "decided": "The decision is recorded.",
    "revoked": "The key is revoked.",
    "started": "The execution has begun.",
    "archived": "The process is in the archive. Nothing starts from now on.",
    "restored": "The process is in use again.",
    "paused": "The process is paused. Executions under way continue.",
    "resumed": "The process starts executions again.",
    "draft-saved": "The draft is saved.",
    "roles-saved": "The roles are saved.",
    "published": "The draft is published as the latest version.",
    "registered": "The agent is registered.",
    "retired": "The agent is retired.",
    "filter-set": "The filter holds for entries of later events.",
    "schedule-paused": "The schedule is paused. Executions can still be started by hand.",
    "schedule-resumed": "The schedule starts executions again.",
    "schedule-backfilled": "The executions of the range have begun.",
    "schedule-run": "The execution has begun.",
    "alert-acknowledged": "The alert is acknowledged.",
    "alert-snoozed": "The alert is open again when the snooze is over.",
    "alert-dismissed": "The alert is dismissed.",
    "threshold-set": "The limit is in force.",
    "limit-drafted": "The limit is in the draft. It is in force once the draft is published.",
    "timer-fired": "The timer has fired.",
    "timer-moved": "The timer is due at another time.",
    "act-requested": "The projector carries it out; this page shows how far it is.",
    "act-withdrawn": "The request is withdrawn.",
    "webhook-added": "The webhook is added. It receives later entries once it repeats a challenge.",
    "webhook-removed": "The webhook is removed.",
    "webhook-resumed": "The deliveries are tried again.",
    "letter-skipped": "The event is skipped, and no longer counts.",
    "price-added": "The price counts from now on. Costs that are booked stay, until you price them anew.",
    "repriced": "The costs are priced anew.",
    "settings-saved": "The settings are saved.",
    "template-used": "The draft is made. Nothing runs until you publish it.",
    "template-taken": "The draft has the newer version. Nothing changes until you publish it.",
    "template-saved": "The template is saved.",
    "template-shared": "The template is shared anew.",
    "template-withdrawn": "The template is withdrawn. What was made from it stays as it is.",
    "batch-run": "Workers go through the list; this page shows how far they are.",
    "batch-stopped": "The batch is stopped.",
    "set-aside-retried": "A worker tries the execution again.",
}


class NavigationEntry(msgspec.Struct, frozen=True):
    """An entry of the navigation."""

    name: str
    icon: str
    href: str
    permission: str = READ
    limited: bool = True
    """Whether a principal that is limited to processes may open it."""


NAVIGATION = (
    ("", (NavigationEntry("Overview", "house", "/"),)),
    (
        "Work",
        (
            NavigationEntry("Executions", "activity", "/executions"),
            NavigationEntry("Approvals", "user-check", "/approvals", READ_APPROVALS),
            NavigationEntry("Schedules", "clock", "/schedules"),
            NavigationEntry("Timers", "timer", "/operations/timers"),
        ),
    ),
    (
        "Design",
        (
            NavigationEntry("Processes", "workflow", "/processes"),
            NavigationEntry("Templates", "layout-template", "/templates"),
            NavigationEntry("Agents", "bot", "/agents"),
        ),
    ),
    (
        "Insight",
        (
            NavigationEntry("Analytics", "chart-column", "/analytics"),
            NavigationEntry("Costs", "coins", "/costs", limited=False),
            NavigationEntry("Cost alerts", "circle-dollar-sign", "/alerts"),
        ),
    ),
    (
        "System",
        (
            NavigationEntry("Operations", "gauge", "/operations", limited=False),
            NavigationEntry("Keys", "key-round", "/keys", READ_KEYS),
            NavigationEntry("HTTP API", "webhook", "/docs", READ_DESCRIPTION),
        ),
    ),
)


class Reader(msgspec.Struct, frozen=True):
    """Who reads a page, and how times are shown. now_there: `now` on the clocks of the zone."""

    zone: tzinfo
    zone_name: str
    now: datetime
    now_there: datetime
    zone_chosen: bool = False
    """Whether the reader set the zone, instead of the browser."""

    @property
    def midnight(self) -> datetime:
        """The first instant of today in the reader's zone."""
        return analytics_window(1, self.zone_name, self.now).today

    def when(self, at: datetime | None) -> Markup:
        """Return a time in the reader's zone."""
        return wording.when(at, self.zone, self.now_there)

    def clock(self, at: datetime) -> str:
        """Return a time in the reader's zone as plain text."""
        return wording.moment(at, self.zone, self.now_there)

    def instant(self, text: str, field: str) -> datetime:
        """Return the time that a field of the type datetime-local states. Raises Malformed."""
        try:
            at = datetime.fromisoformat(text)
            return (at.replace(tzinfo=self.zone) if at.tzinfo is None else at).astimezone(self.now.tzinfo)
        except (ValueError, OverflowError):
            message = "a time is written as 2027-01-31T09:00"
            raise malformed([Problem("invalid_value", message, field)]) from None


def reader_of(request: Request) -> Reader:
    """Return how the reader of `request` sees times. Default: UTC, until the browser has stated its zone."""
    now = door_of(request).clock.now()
    for cookie in (CHOSEN_COOKIE, ZONE_COOKIE):
        try:
            name = request.cookies.get(cookie, "")
            zone = parse_zone(name)
            return Reader(zone, name, now, now.astimezone(zone), cookie == CHOSEN_COOKIE)
        except ValueError:
            continue
    return Reader(parse_zone("UTC"), "UTC", now, now)


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
    every: int | None = None,
    live: bool = False,
    **values: Any,
) -> HTMLResponse:
    """Return a page in its frame. nav: the entry of the navigation that it belongs to; values: for the template.

    every: seconds after which an open page is read again without an event. Default: never. live: it follows the log
    though it states no freshness.
    """
    reader = reader_of(request)
    principal: Principal | None = getattr(request.state, "principal", None)
    theme = request.cookies.get(THEME_COOKIE, "")
    navigation = navigation_of(principal)
    frame = {
        "title": title,
        "nav": nav,
        "navigation": navigation,
        "go": GO,
        "keyboard": keyboard([entry.name for _, entries in navigation for entry in entries]),
        "single_keys": request.cookies.get(KEYS_COOKIE) != "off",
        "reader": reader,
        "when": reader.when,
        "now": reader.now,
        "theme": theme if theme in THEMES else "",
        "open_approvals": 0,
        "open_alerts": 0,
        "principal": principal,
        "searches": principal is not None and principal.may(READ),
        "lag": None if freshness is None else freshness.lag_seconds,
        "position": 0 if freshness is None else freshness.as_of_position,
        "notice": NOTICES.get(request.query_params.get("done", ""), ""),
        # A page that answers a form cannot be read again by its address.
        "live": (live or freshness is not None) and "as_of" not in request.query_params and request.method == "GET",
        "every": every,
        "url_with": lambda **changes: url_with(request, changes),
        **(_open_matters(request, principal) if code < 500 else {}),
    }
    answer = HTMLResponse(render(template, frame | values), code)
    if principal is not None and principal.session is not None:
        renewed = principal.session.renewed_at(reader.now)
        if renewed is not None:
            keep_session(request, answer, renewed)
    return answer


def url_with(request: Request, changes: Mapping[str, str | None]) -> str:
    """Return the address of this page with some query parameters changed; None removes one."""
    kept = {name: value for name, value in request.query_params.items() if name not in changes}
    given = kept | {name: value for name, value in changes.items() if value is not None}
    return f"{request.url.path}?{urlencode(given)}" if given else request.url.path


def keep_session(request: Request, answer: Response, session: BrowserSession) -> None:
    """Give the browser the cookie of its session. Behind a proxy that ends TLS, browsers send it by TLS alone."""
    door = door_of(request)
    secure = any(origin.scheme == "https" for origin in door.hosts.origins)
    longest = int(LONGEST.total_seconds())
    answer.set_cookie(
        COOKIE, door.sessions.write(session), max_age=longest, path="/", secure=secure, httponly=True, samesite="lax"
    )


def approvals_for(principal: Principal, statuses: list[str], *, own: bool = False) -> ApprovalFilter:
    """Return the filter of approvals that a principal sees. own: those that it may decide alone."""
    own = own and principal.actor != ANONYMOUS
    return ApprovalFilter(
        statuses=statuses,
        within=principal.processes,
        deciders=approver_names(principal) if own else deciders_of(principal),
    )


def navigation_of(principal: Principal | None) -> list[tuple[str, list[NavigationEntry]]]:
    """Return the entries that a principal may open."""
    if principal is None:
        return []
    groups = [(name, [entry for entry in entries if _may_open(principal, entry)]) for name, entries in NAVIGATION]
    return [(name, entries) for name, entries in groups if entries]


def _may_open(principal: Principal, entry: NavigationEntry) -> bool:
    return principal.may(entry.permission) and (entry.limited or not principal.processes)


def _open_matters(request: Request, principal: Principal | None) -> dict[str, int]:
    """Return how many approvals wait for the reader, and alerts are open; without those that are not countable."""
    counts: dict[str, RowCount] = {}
    if principal is not None and principal.may(READ_APPROVALS):
        counts["open_approvals"] = approvals_counted(approvals_for(principal, ["open"], own=True))
    if principal is not None and principal.may(READ):
        counts["open_alerts"] = alerts_counted(principal.processes)
    found = count_all(door_of(request).reading, [*counts.values()], COUNTED)
    return {name: number for name, number in zip(counts, found, strict=True) if number is not None}
