"""Metrics in the text format of Prometheus: figures of the database at the scrape, times of this process."""

import logging
import time
from collections.abc import Callable, Iterator

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import openapi
from edge.door import Door
from edge.parameters import NO_PARAMETERS
from queries.metrics import MEASURES, MOST, Figures, ReadModelFigures, get_figures, get_replica_lag
from store.timing import BOUNDS
from store.unit import Outage

logger = logging.getLogger(__name__)

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "other"

# By the name of the metric: its text, and its value of one read model.
READ_MODEL_COLUMNS: dict[str, tuple[str, Callable[[ReadModelFigures], float]]] = {
    "read_model_position": ("Position of a read model.", lambda each: each.position),
    "read_model_lag_events": ("Positions by which a read model is behind the log.", lambda each: each.lag),
    "read_model_lag_seconds": (
        "Age of the first event that a read model does not hold.",
        lambda each: each.lag_seconds,
    ),
    "read_model_failed": ("Whether a read model stands still by an error.", lambda each: each.failed),
    "dead_letters": (f"Events that a read model could not process. At most {MOST}.", lambda each: each.dead_letters),
}

router = APIRouter(tags=["operations"])


class DatabaseFigures(Collector):
    """Reads the figures of the database at each scrape; without the database only `procession_database_up` is left."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that the database gives, and the times of this process's appends."""
        try:
            figures = get_figures(self._door.reading, self._door.handlers.overdue_after)
        except Outage as error:
            logger.warning("no figures of the database: %s", error)
            figures = None
        yield _gauge("database_up", "Whether the database answered this scrape.", float(figures is not None))
        if figures is not None:
            yield from _of_database(figures)
        replica = self._door.reading.replica
        if replica is not None:
            lag = get_replica_lag(self._door.reading)
            yield _gauge("replica_up", "Whether the replica for queries can be reached.", float(not replica.down))
            if lag is not None:
                text = "Age of the first event that the replica for queries does not hold, by the primary."
                yield _gauge("replica_lag_seconds", text, lag)
        counts, total = self._door.handlers.log.append_times.read()
        buckets, sum_of_counts = list[tuple[str, float]](), 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            sum_of_counts += count
            buckets.append((bound, sum_of_counts))
        appends = HistogramMetricFamily("procession_append_seconds", "Time of an append of this process to the log.")
        appends.add_metric([], buckets, total)
        yield appends

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry reads the database at a scrape only."""
        yield from ()


def _of_database(figures: Figures) -> Iterator[Metric]:
    for measure in MEASURES:
        text = measure.text if "count(*)" not in measure.query else f"{measure.text} At most {MOST}."
        yield _gauge(measure.name, text, figures.values[measure.name])
    for name, (text, read) in READ_MODEL_COLUMNS.items():
        gauge = GaugeMetricFamily(f"procession_{name}", text, labels=["read_model"])
        for each in figures.read_models:
            gauge.add_metric([each.name], float(read(each)))
        yield gauge


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"procession_{name}", text, value=value)


class RequestTimes:
    """The middleware that measures requests until their answer begins, by method, route and class of status."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "procession_request_seconds",
            "Time until the answer to a request begins.",
            ("method", "route", "status"),
            buckets=BOUNDS,
            registry=registry,
        )
        self._of: dict[tuple[str, str, str], Histogram] = {}
        """By method, route and status: the histogram finds them too, but takes a lock and checks the names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; measure each request once."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, answered = time.perf_counter(), False

        async def sending(message: Message) -> None:
            nonlocal answered
            if not answered and message["type"] == "http.response.start":
                answered = True
                self._count(scope, f"{message['status'] // 100}xx", begun)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            if not answered:
                self._count(scope, "5xx", begun)
            raise

    def _count(self, scope: Scope, status: str, begun: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        labels = method, route_of(scope), status
        found = self._of.get(labels)
        if found is None:
            found = self._of[labels] = self._seconds.labels(*labels)
        found.observe(time.perf_counter() - begun)


def route_of(scope: Scope) -> str:
    """Return the template of the path that matched."""
    template: str = getattr(scope.get("route"), "path", OTHER)
    return template


def registry_of(door: Door) -> CollectorRegistry:
    """Return a registry of one application's own, which reads the figures of `door`."""
    registry = CollectorRegistry()
    registry.register(DatabaseFigures(door))
    return registry


_METRICS = openapi.query(str)
_METRICS["responses"][200]["content"] = {"text/plain": {"schema": {"type": "string"}}}


@router.get("/metrics", dependencies=[NO_PARAMETERS], summary="Metrics for Prometheus", **_METRICS)
def metrics(request: Request) -> Response:
    """Return metrics in the text format of Prometheus. During an outage the figures of the database are left out."""
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)
