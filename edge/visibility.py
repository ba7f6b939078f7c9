"""The view of a principal that is limited to processes: others are not there, or are called *restricted*."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import anyio
import msgspec
from fastapi import Request

from domain.alerts.events import CostAlertRaised
from domain.batches.events import BatchFrozen
from domain.executions.decisions.approval import parse_approval_id
from domain.executions.events.execution import ExecutionStarted
from domain.processes.events import ProcessDrafted
from domain.refusal import NotFound
from domain.schedules.events import ScheduleRegistered
from edge.dependencies import door_of
from edge.door import Door
from edge.principal import Principal
from edge.references import alert_named, batch_named, execution_named, process_named, schedule_named
from edge.scopes import LISTED
from queries.alerts import CostAlertView
from queries.causes import FoundCause
from queries.executions import ExecutionDetail
from queries.process_costs import ProcessCosts
from queries.steps import ChildExecution
from store.archive.executions import process_of_archived

RESTRICTED = "restricted"


async def require_visible(request: Request, principal: Principal) -> None:
    """Raise NotFound unless a limited `principal` sees what the path of the request names.

    A route that names no process, schedule, alert, batch, execution or approval is closed to it, unless it limits its
    answer. It sees a batch if it sees the process of each execution.
    """
    if not principal.processes:
        return
    extra = getattr(request.scope["route"], "openapi_extra", None) or {}
    names, door = request.path_params, door_of(request)
    if "execution_id" in names:
        await require_visible_execution(door, principal, execution_named(names["execution_id"]))
        return
    if "approval_id" in names:
        execution_id, _, _ = parse_approval_id(names["approval_id"])
        await require_visible_execution(door, principal, execution_id)
    elif "schedule_id" in names:
        process = await anyio.to_thread.run_sync(_process_of_schedule, door, schedule_named(names["schedule_id"]))
        _require(principal, process)
    elif "alert_id" in names:
        _require(principal, await anyio.to_thread.run_sync(_process_of_alert, door, alert_named(names["alert_id"])))
    elif "batch_id" in names:
        processes = await anyio.to_thread.run_sync(_processes_of_batch, door, batch_named(names["batch_id"]))
        for process in processes:
            _require(principal, process)
    elif "process" in names:
        await require_visible_process(door, principal, process_named(names["process"]))
    elif LISTED not in extra:
        raise _nothing()


async def require_visible_process(door: Door, principal: Principal, id: UUID) -> None:
    """Raise NotFound unless a limited `principal` sees the process."""
    if principal.processes:
        _require(principal, await anyio.to_thread.run_sync(_name_of_process, door, id))


async def require_visible_execution(door: Door, principal: Principal, id: UUID) -> None:
    """Raise NotFound unless a limited `principal` sees the execution."""
    if principal.processes:
        _require(principal, await anyio.to_thread.run_sync(_process_of_execution, door, id))


def require_visible_name(principal: Principal, process: str | None) -> None:
    """Raise NotFound unless a limited `principal` sees the process with that name."""
    if principal.processes:
        _require(principal, process)


NO_PLACE: dict[str, Any] = {"body": None, "item": None, "key": None, "round": None}
"""The fields that state the place of an execution in its caller, for principals who do not see that."""


def restricted(found: ExecutionDetail, principal: Principal) -> ExecutionDetail:
    """Return the view without the names of processes that `principal` does not see."""
    if not principal.processes:
        return found
    path = [
        each if principal.sees(each.process) else msgspec.structs.replace(each, process=RESTRICTED, step="", **NO_PLACE)
        for each in found.path
    ]
    steps = [
        msgspec.structs.replace(step, children=restricted_children(step.children, principal)) if step.children else step
        for step in found.steps
    ]
    found = msgspec.structs.replace(found, path=path, steps=steps)
    if found.parent is None or (path and path[-1].process != RESTRICTED):
        return found
    trigger = msgspec.json.decode(found.trigger) | {"id": ""}
    parent = msgspec.structs.replace(found.parent, step="", item=None, key=None, round=None)
    return msgspec.structs.replace(found, parent=parent, trigger=msgspec.Raw(msgspec.json.encode(trigger)))


def restricted_alert(found: CostAlertView, principal: Principal) -> CostAlertView:
    """Return the view without the names of processes, and of their steps, that `principal` does not see."""
    if not principal.processes:
        return found
    seen = {each.step for each in found.contributors if principal.sees(each.process)}
    contributors = [
        each if principal.sees(each.process) else msgspec.structs.replace(each, process=RESTRICTED, step="")
        for each in found.contributors
    ]
    crossing = found.crossing
    if crossing.step not in seen:
        crossing = msgspec.structs.replace(crossing, step=None)
    return msgspec.structs.replace(found, contributors=contributors, crossing=crossing)


def restricted_costs(found: ProcessCosts, principal: Principal) -> ProcessCosts:
    """Return the view without the names of called processes, and of their steps, that `principal` does not see."""
    dearest = [
        each if principal.sees(each.process) else msgspec.structs.replace(each, process=RESTRICTED, step="")
        for each in found.dearest
    ]
    return msgspec.structs.replace(found, dearest=dearest)


def restricted_cause(found: FoundCause, principal: Principal) -> FoundCause:
    """Return the view without the names of a process that `principal` does not see."""
    cause = found.cause
    if cause is None or not principal.processes or principal.sees(cause.process):
        return found
    return msgspec.structs.replace(found, cause=msgspec.structs.replace(cause, process=RESTRICTED, step=""))


def restricted_children(children: Iterable[ChildExecution], principal: Principal) -> list[ChildExecution]:
    """Return the children of a step, without the names of processes that `principal` does not see."""
    return [
        child if principal.sees(child.process) else msgspec.structs.replace(child, process=RESTRICTED)
        for child in children
    ]


def _require(principal: Principal, process: str | None) -> None:
    if process is None or not principal.sees(process):
        raise _nothing()


def _nothing() -> NotFound:
    return NotFound("there is nothing of that name here")


def _process_of_execution(door: Door, id: UUID) -> str | None:
    first = door.handlers.log.stream_page(id, limit=1)
    event = first[0].event if first else None
    if event is None:
        with door.handlers.log.datastore.reading() as connection:
            return process_of_archived(connection, id)
    return event.process if isinstance(event, ExecutionStarted) else None


def _process_of_schedule(door: Door, id: UUID) -> str | None:
    first = door.handlers.log.stream_page(id, limit=1)
    event = first[0].event if first else None
    return event.process if isinstance(event, ScheduleRegistered) else None


def _process_of_alert(door: Door, id: UUID) -> str | None:
    first = door.handlers.log.stream_page(id, limit=1)
    event = first[0].event if first else None
    return event.process if isinstance(event, CostAlertRaised) else None


def _processes_of_batch(door: Door, id: UUID) -> list[str | None]:
    first = door.handlers.log.stream_page(id, limit=1)
    event = first[0].event if first else None
    return [*event.processes] if isinstance(event, BatchFrozen) and event.processes else [None]


def _name_of_process(door: Door, id: UUID) -> str | None:
    first = door.handlers.log.stream_page(id, limit=1)
    event = first[0].event if first else None
    return event.name if isinstance(event, ProcessDrafted) else None
