"""The application: every route, the middleware around them, and its start and end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version

import anyio
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import (
    agents,
    alerts,
    analytics,
    approvals,
    batches,
    calendars,
    cost_thresholds,
    costs,
    dead_letters,
    documentation,
    epochs,
    errors,
    events,
    executions,
    health,
    inbox,
    inbox_webhooks,
    keys,
    memory,
    metrics,
    monitored,
    openapi,
    prices,
    processes,
    projections,
    repairs,
    role_drift,
    roles,
    schedules,
    schema,
    set_aside,
    settings,
    sizes,
    steps,
    stream,
    templates,
    timers,
    webhooks,
    workers,
)
from api.mcp import route as mcp
from api.mcp.lifetime import ProtocolServer
from edge.admitted import ADMITTED
from edge.door import Door
from edge.envelope import NO_TELEMETRY, Envelope
from edge.feed import Feed
from edge.routes import routes_below

# Queries may wait for a read model; commands have threads of their own, and so never wait for queries.
QUERY_THREADS = 100

GUARDED = (
    keys,
    executions,
    repairs,
    batches,
    set_aside,
    timers,
    approvals,
    processes,
    templates,
    alerts,
    analytics,
    cost_thresholds,
    roles,
    role_drift,
    monitored,
    schedules,
    calendars,
    agents,
    inbox,
    inbox_webhooks,
    memory,
    costs,
    prices,
    events,
    epochs,
    projections,
    dead_letters,
    workers,
    sizes,
    settings,
    stream,
    schema,
)


def create_app(door: Door) -> FastAPI:
    """Return the API on `door`. While it runs, `app.state.feed.close()` ends all streams, from any thread."""
    release = version("procession")
    app = FastAPI(
        title=openapi.TITLE,
        version=release,
        summary="A process engine for work done by AI agents and people.",
        lifespan=_lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=list(_routes()),
        telemetry=NO_TELEMETRY,
    )
    app.state.door = door
    app.state.feed = Feed(door.reading.progress)
    app.state.protocol = ProtocolServer()
    app.openapi = lambda: openapi.describe(app, release)  # type: ignore[method-assign]
    app.state.metrics = metrics.registry_of(door)
    app.add_middleware(Envelope, hosts=door.hosts, refused=errors.refused, epoch=door.present_epoch)
    app.add_middleware(metrics.RequestTimes, registry=app.state.metrics)
    errors.install(app)
    return app


@cache
def _routes() -> list[APIRoute]:
    """Return every route; the applications of one process share them."""
    return [
        *(route for noun in GUARDED for route in routes_below("/api", noun.router, ADMITTED)),
        *routes_below("/api", templates.of_processes, ADMITTED),
        *routes_below("", metrics.router, ADMITTED),
        *routes_below("", mcp.router, ADMITTED),
        # Agents that answer later show the token of their attempt instead.
        *routes_below("/api", steps.router),
        # Callers of webhooks show the secret of the trigger instead.
        *routes_below("/api", webhooks.router),
        *routes_below("", health.router),
        *routes_below("", documentation.router),
    ]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    progress, feed = app.state.door.reading.progress, app.state.feed
    anyio.to_thread.current_default_thread_limiter().total_tokens = QUERY_THREADS
    await anyio.to_thread.run_sync(progress.start)
    feed.open()
    try:
        yield
    finally:
        feed.shut()
        await app.state.protocol.stop()
        await anyio.to_thread.run_sync(progress.stop)
