"""Acts of an operator on an execution and its steps: cancel, retry, skip, reassign; each has a form of its own."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from commands.command import CommandScope
from commands.executions import CancelExecution
from commands.repairs import ReassignStep, RetryExecution, RetryStep, SkipStep
from domain.agents.agent import ACTIVE
from domain.refusal import NotFound
from edge.dependencies import door_of
from edge.references import execution_named
from edge.scopes import requires
from queries.agents import AgentFilter, list_agents
from queries.executions import get_execution
from queries.paging import MAX_LIMIT
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import required
from web.layout import page

CANCEL = Act(
    "Cancel execution",
    "The execution and those that it called end. Completed steps with a compensation are undone, the last one first.",
    "cancelled",
    lambda handlers: handlers.executions.cancel,
    danger=True,
    reasoned=False,
)
RETRY = Act(
    "Retry",
    "The execution goes on from its failed steps, in new attempts; completed steps stay completed.",
    "retried",
    lambda handlers: handlers.repairs.retry_execution,
    reasoned=False,
)
RETRY_STEP = Act(
    "Retry step",
    "The step begins again, in place of the attempt that is due, under way or over.",
    "step-retried",
    lambda handlers: handlers.repairs.retry_step,
)
SKIP_STEP = Act(
    "Skip step",
    "The execution goes on without the step; steps that use its output get none.",
    "step-skipped",
    lambda handlers: handlers.repairs.skip_step,
)
REASSIGN_STEP = Act(
    "Reassign step",
    "Another agent gets the step at once, in place of the attempt that is due, under way or to come.",
    "step-reassigned",
    lambda handlers: handlers.repairs.reassign_step,
    fields=("agent",),
)
OF_EXECUTION = {"cancel": CANCEL, "retry": RETRY}
OF_STEP = {"retry": RETRY_STEP, "skip": SKIP_STEP, "reassign": REASSIGN_STEP}

router = APIRouter(prefix="/executions/{execution_id}")
ACTS = requires(CommandScope.EXECUTIONS_WRITE)


@router.get("/cancel", **ACTS)
@router.get("/retry", **ACTS)
def form(execution_id: str, request: Request) -> Response:
    """Return the form of an act on the execution."""
    return _shown(request, OF_EXECUTION[_last(request)], execution_id, "", UNTRIED)


@router.get("/steps/{step}/retry", **ACTS)
@router.get("/steps/{step}/skip", **ACTS)
@router.get("/steps/{step}/reassign", **ACTS)
def form_of_step(execution_id: str, step: str, request: Request) -> Response:
    """Return the form of an act on a step."""
    return _shown(request, OF_STEP[_last(request)], execution_id, step, UNTRIED)


@router.post("/cancel", **ACTS)
async def cancel(execution_id: str, request: Request) -> Response:
    """Cancel the execution, and return to its page."""
    return await _act(request, CANCEL, execution_id, lambda id, fields: CancelExecution(id, fields["reason"]))


@router.post("/retry", **ACTS)
async def retry(execution_id: str, request: Request) -> Response:
    """Retry a failed execution, and return to its page."""
    return await _act(request, RETRY, execution_id, lambda id, fields: RetryExecution(id, fields["reason"]))


@router.post("/steps/{step}/retry", **ACTS)
async def retry_step(execution_id: str, step: str, request: Request) -> Response:
    """Begin a step again, and return to its execution's page."""
    return await _act(request, RETRY_STEP, execution_id, lambda id, fields: RetryStep(id, step, fields["reason"]), step)


@router.post("/steps/{step}/skip", **ACTS)
async def skip_step(execution_id: str, step: str, request: Request) -> Response:
    """Continue without a step, and return to its execution's page."""
    return await _act(request, SKIP_STEP, execution_id, lambda id, fields: SkipStep(id, step, fields["reason"]), step)


@router.post("/steps/{step}/reassign", **ACTS)
async def reassign_step(execution_id: str, step: str, request: Request) -> Response:
    """Give a step to another agent, and return to its execution's page."""
    return await _act(
        request,
        REASSIGN_STEP,
        execution_id,
        lambda id, fields: ReassignStep(id, step, required(fields, "agent"), fields["reason"]),
        step,
    )


async def _act(request: Request, act: Act, execution_id: str, make: Any, step: str = "") -> Response:
    id = execution_named(execution_id)
    to = f"/executions/{id}" + (f"?{urlencode({'step': step})}" if step else "")

    def command(fields: Mapping[str, str]) -> Any:
        return make(id, fields)

    return await attempt(request, act, command, partial(_shown, request, act, execution_id, step), to)


def _last(request: Request) -> str:
    """Return the word of the act, which ends the address."""
    return request.url.path.rpartition("/")[2]


def _shown(request: Request, act: Act, execution_id: str, step: str, form: ActForm) -> Response:
    """Return the page of an act: its form, the refusal of the last try, the events that it would record."""
    door, id = door_of(request), execution_named(execution_id)
    found = get_execution(door.reading, door.definitions, id)
    selected = next((each for each in found.steps if each.id == step), None)
    if step and selected is None:
        raise NotFound(f"this execution has no step {step[:80]!r}")
    agents = list_agents(door.reading, AgentFilter(statuses=[ACTIVE]), limit=MAX_LIMIT) if act.fields else None
    back = f"/executions/{id}" + (f"?{urlencode({'step': step})}#step" if step else "")
    name = f"{found.process} {str(id)[-8:]}"
    return page(
        request,
        "act.html",
        title=act.title,
        nav="Executions",
        code=form.code,
        crumbs=[("Executions", "/executions"), (name, back), (act.title, None)],
        act=act,
        form=form,
        action=f"/executions/{id}/" + (f"steps/{quote(step, safe='')}/" if step else "") + _last(request),
        back=back,
        subject=name if selected is None else f"{selected.name or selected.id} of {name}",
        agents=[] if agents is None else [each.name for each in agents.items],
    )
