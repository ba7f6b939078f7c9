"""The application of the pages: every route, and the files that they need."""

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.admitted import ADMITTED
from edge.door import Door
from edge.envelope import NO_TELEMETRY, Envelope
from edge.routes import routes_below
from web import alert_what_if, alerts, approvals, costs, errors, keys, overview, preferences, search, sign_in, timers
from web.agents import detail as agent
from web.agents import inbox, register, webhooks
from web.agents import list as agents
from web.analytics import pages as analytics
from web.documentation import page as documentation
from web.documentation.page import Description
from web.executions import acts, compare, detail, moments, tree
from web.executions import list as executions
from web.operations import batches, dead_letters, read_models, set_aside, settings, sizes, workers
from web.operations import overview as operations
from web.processes import archive, definition, editor, pauses, publish, start, triggers
from web.processes import costs as process_costs
from web.processes import detail as process
from web.processes import list as processes
from web.processes import roles as process_roles
from web.schedules import detail as schedule
from web.schedules import list as schedules
from web.schedules import previews
from web.templates import detail as template
from web.templates import list as templates
from web.templates import save, update, use

STATIC = Path(__file__).parent / "static"
NOUNS = (
    "executions",
    "approvals",
    "alerts",
    "analytics",
    "schedules",
    "processes",
    "templates",
    "agents",
    "costs",
    "keys",
    "operations",
)
SEGMENTS = frozenset(("", *NOUNS, "docs", "search", "settings", "sign-in", "sign-out", "static"))


OPERATIONS = (read_models, batches, set_aside, dead_letters, workers, sizes, settings)
AGENTS = (agents, register, inbox, webhooks, agent)
# The editor's `/processes/new` comes before the page of one process.
PROCESSES = (
    processes,
    editor,
    definition,
    triggers,
    publish,
    start,
    archive,
    pauses,
    process_costs,
    process_roles,
    process,
)
# The page that tries a rule comes before that of one schedule.
SCHEDULES = (schedules, previews, schedule)
TEMPLATES = (templates, save, update, use, template)
EXECUTIONS = (executions, detail, acts, tree, compare, moments)
GUARDED = (
    overview,
    *EXECUTIONS,
    approvals,
    # The page that tries a limit comes before that of one alert.
    alert_what_if,
    alerts,
    *SCHEDULES,
    *PROCESSES,
    *TEMPLATES,
    *AGENTS,
    analytics,
    costs,
    keys,
    preferences,
    search,
    timers,
    operations,
    *OPERATIONS,
    documentation,
)


def create_pages(door: Door, description: Description) -> FastAPI:
    """Return the pages on `door`. description: of the API, for its documentation."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=list(_routes()),
        telemetry=NO_TELEMETRY,
    )
    app.state.door = door
    app.state.description = description
    app.add_middleware(Envelope, hosts=door.hosts, refused=errors.refused, epoch=door.present_epoch)
    errors.install(app)
    app.mount("/static", _Files(directory=STATIC), name="static")
    return app


@cache
def _routes() -> list[APIRoute]:
    """Return the route of every page; the applications of one process share them."""
    guarded = [route for noun in GUARDED for route in routes_below("", noun.router, ADMITTED)]
    return [*guarded, *routes_below("", sign_in.router)]


class _Files(StaticFiles):
    """Files that a browser keeps, and asks about before it uses them again."""

    def file_response(self, *arguments: Any, **settings: Any) -> Response:
        """Return the answer with a file."""
        answer = super().file_response(*arguments, **settings)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


class PagesBeside:
    """Hands requests of pages to `pages`, and everything else to `app`."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        first = scope.get("path", "/").split("/")[1] if scope["type"] == "http" else None
        await (self._pages if first in SEGMENTS else self._app)(scope, receive, send)
