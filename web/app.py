"""The application of the pages: every route, and the files that they need."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from edge.door import Door
from edge.envelope import Envelope
from web import approvals, errors, overview
from web.executions import detail
from web.executions import list as executions

STATIC = Path(__file__).parent / "static"
SEGMENTS = frozenset(("", "executions", "approvals", "static"))


def create_pages(door: Door) -> FastAPI:
    """Return the pages on `door`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.door = door
    app.add_middleware(Envelope)
    errors.install(app)
    for noun in (overview, executions, detail, approvals):
        app.include_router(noun.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


class PagesBeside:
    """Hands requests of pages to `pages`, and everything else to `app`."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        first = scope.get("path", "/").split("/")[1] if scope["type"] == "http" else None
        await (self._pages if first in SEGMENTS else self._app)(scope, receive, send)
