"""The monitors of steps: agents that may repair the steps that they watch over."""

from collections.abc import Collection
from uuid import UUID

from domain.executions.events.execution import ExecutionStarted
from domain.identity import process_id, roles_id
from domain.processes.process import fold
from domain.roles.decisions import PUBLISHED
from domain.roles.effective import MONITOR
from domain.roles.published import roles_now
from domain.roles.roles import fold as fold_roles
from domain.roles.roles import published_revision
from store.log import Log


def monitored_by(log: Log, agents: Collection[str], execution: UUID, step: str) -> bool:
    """Return whether one of `agents` monitors a step of an execution, as the roles are now."""
    first = log.stream_page(execution, limit=1)
    event = first[0].event if first else None
    if not agents or not isinstance(event, ExecutionStarted):
        return False
    id = process_id(event.process)
    recorded = log.stream(roles_id(id))
    if published_revision(recorded):
        roles = fold_roles(recorded, PUBLISHED)
    else:
        process = fold(log.stream(id))
        latest = None if process is None else process.versions.get(process.latest)
        roles = {} if latest is None else roles_now(latest.source, ()).roles
    return any(roles.get((step, agent)) == MONITOR for agent in agents)
