"""Health: for the supervisor that restarts this process, and the proxy that sends it requests."""

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from edge.dependencies import TheDoor
from edge.parameters import NO_PARAMETERS
from queries.agent_limits import count_paused_agents
from queries.epochs import LogEpoch, get_epoch
from queries.health import READY, REPLICA_IS_DOWN, UNREADY, Live, Readiness, get_readiness
from queries.reading import Reading
from queries.set_aside import count_set_aside
from queries.timers import OverdueTimers, overdue_summary
from store.trouble import Trouble
from store.unit import Outage

DEGRADED = "degraded"
# Timers so late mean that no worker keeps up with them, or that there is none.
TOLERATED_LATENESS_SECONDS = 60.0

router = APIRouter(prefix="/health", tags=["operations"])


class Health(Readiness, frozen=True, kw_only=True):
    """status: ``ready``, ``degraded`` or ``unready``. Degraded: it answers, but timers are far overdue, some read
    models are being built for this release, the replica is down, or `reason` states what is slow or full. set_aside:
    executions and cost alerts about which no decision succeeds. paused_agents: agents that no worker calls for a
    time, as their ``Retry-After`` says. epoch: of the log.
    """

    overdue_timers: OverdueTimers | None = None
    set_aside: int = 0
    paused_agents: int = 0
    epoch: LogEpoch | None = None


_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "Not ready",
        "content": {"application/json": {"schema": openapi.schema_of(Health)}},
    }
}
_READY = openapi.query(Health, permission=None)
_READY["responses"] |= _NOT_READY


@router.get("/live", dependencies=[NO_PARAMETERS], summary="Does it live", **openapi.query(Live, permission=None))
async def live() -> Response:
    """Answer 200 as long as the process answers requests."""
    return view(Live())


@router.get("/ready", dependencies=[NO_PARAMETERS], summary="Is it ready", **_READY)
def ready(door: TheDoor) -> Response:
    """Answer 200 when the database answers, is migrated and records; else 503, with the reason where it is known.

    States the lag of read models, and late timers.

    Timers that are more than a minute late, a read model that this release cannot read yet, a replica that is down
    while queries go to the primary, a standby that confirms no commits, and a server without free connections make it
    degraded: still 200, for it answers requests.
    """
    health = _health(door.reading, door.handlers.log.recording.trouble)
    return JsonBody(health, 503 if health.status == UNREADY else 200)


def _health(reading: Reading, trouble: Trouble | None) -> Health:
    readiness = get_readiness(reading, trouble)
    found = {**msgspec.structs.asdict(readiness), "epoch": get_epoch(reading.progress)}
    if readiness.status != READY:
        return Health(**found)
    try:
        overdue, aside = overdue_summary(reading), count_set_aside(reading)
        paused = count_paused_agents(reading)
    except Outage:
        return Health(UNREADY, "down", "unknown", epoch=found["epoch"])
    unreadable = any(not projection.ready for projection in readiness.projections.values())
    partly = readiness.reason is not None or readiness.replica == REPLICA_IS_DOWN
    if partly or unreadable or overdue.worst_seconds > TOLERATED_LATENESS_SECONDS:
        found["status"] = DEGRADED
    return Health(**found, overdue_timers=overdue, set_aside=aside, paused_agents=paused)
