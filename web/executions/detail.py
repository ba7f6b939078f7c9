"""One execution: its diagram, timeline, steps and events, now or as it was."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote_plus

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.executions import CancelExecution, StartExecution
from commands.timers import FireTimer
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, Versions
from edge.parameters import PointParameter, Position
from edge.principal import Principal
from edge.references import execution_named
from edge.run_names import run_name
from edge.scopes import READ, READ_APPROVALS, requires
from edge.sensitive import SensitiveViews
from edge.visibility import restricted
from queries.analytics.usual_steps import UsualStepTime, usual_step_time
from queries.causes import FailureCause, find_cause
from queries.events import events_of_stream
from queries.exchange import Question, exchange
from queries.execution_costs import costs_of
from queries.executions import (
    ExecutionDetail,
    ExecutionFilter,
    ExecutionSummary,
    StepView,
    get_execution,
    list_executions,
)
from queries.folding import get_execution_as_of
from queries.moments import marks_of_stream, moment_of_position
from queries.paging import LARGEST
from queries.reading import Reading
from queries.roles_now import roles_of_step
from queries.steps import ChildExecution
from queries.usual_durations import LikelyEnd, likely_end
from web.drawings.boxes import DrawnFold
from web.drawings.timeline import Scale
from web.executions import picture
from web.executions.failing import on_failure
from web.layout import page, reader_of, url_with
from web.processes.bodies import edges_of, fold_of
from web.processes.open_steps import DrawnParameters, open_steps

EVENTS = 50
ITEMS = 20

router = APIRouter(prefix="/executions/{execution_id}")


class DetailParameters(DrawnParameters):
    """step: the selected one. as_of: a position or an instant; the page shows the execution at that point.

    show: the part of the timeline, ``open`` or ``trouble``; empty or unknown: all.
    """

    step: Annotated[str, Query(max_length=200)] = ""
    show: Annotated[str, Query(max_length=20)] = ""
    as_of: PointParameter | None = None
    after: Position = 0


@router.get("", **requires(READ))
def detail(
    execution_id: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    masking: Masking,
    given: Annotated[DetailParameters, Query()],
) -> Response:
    """Return the page of one execution."""
    id, fresh = execution_named(execution_id), given.min_position
    if given.as_of is None:
        found = get_execution(reading, definitions, id, min_position=fresh)
    else:
        found = get_execution_as_of(reading, definitions, id, given.as_of, min_position=fresh)
    found = masking.execution(restricted(found, caller))
    plan, defined = definitions.shape(reading, found.process_id, found.version, found.body or "")
    opened = open_steps(request, given.inside)
    folds = {each.id: fold_of(each, plan.bodies[each.id], opened) for each in defined if each.id in plan.bodies}
    selected = _selected(found, given.step)
    with exchange(reading) as together:
        of_position = together.add(moment_of_position(id, found.position))
        events = together.add(events_of_stream(id, given.after, EVENTS))
        marks = together.add(marks_of_stream(id, picture.MARKED, picture.PLACES))
        costs = together.add(costs_of(found)) if given.as_of is None else None
        roles = None if selected is None else together.add(_roles(found, selected, given))
        usual = _usual_time(found, selected, reader_of(request).now)
        usual_time = None if usual is None else together.add(usual)
    moment = of_position.view()
    items = [] if selected is None or selected.items is None else _items(reading, found, selected, masking, caller)
    return page(
        request,
        "execution.html",
        title=_title(found),
        nav="Executions",
        freshness=found,
        crumbs=_crumbs(found),
        found=found,
        given=given,
        selected=selected,
        # Nobody, and no usual time, while their read models are built anew.
        roles={} if roles is None else roles.unless_built() or {},
        usual=None if usual_time is None else usual_time.unless_built(),
        on_failure="" if selected is None else on_failure(plan, selected.id),
        items=items,
        conditions=[] if selected is None else json.loads(bytes(selected.conditions)) or [],
        events=masking.events(events.view()),
        trigger=json.loads(bytes(found.trigger)),
        error=json.loads(bytes(found.error)),
        moment=moment,
        marks=[(mark.event, picture.MARKED[mark.type]) for mark in marks.view()],
        cause=_cause(reading, found, caller) if given.as_of is None else None,
        costs=None if costs is None else costs.view(),
        likely=_likely_end(reading, found) if given.as_of is None else None,
        open=found.ended_at is None and given.as_of is None,
        acts=caller.may(CancelExecution.scope),
        moves=caller.may(FireTimer.scope),
        starts=caller.may(StartExecution.scope),
        decides=caller.may(READ_APPROVALS),
        **_pictures(request, found, edges_of(plan), folds, given.show, {given.step: items}),
    )


def _likely_end(reading: Reading, found: ExecutionDetail) -> LikelyEnd | None:
    """Return the likely end of an execution that runs, once enough of its process have completed."""
    return None if found.ended_at is not None else likely_end(reading, found.process_id, found.started_at)


def _items(
    reading: Reading, found: ExecutionDetail, selected: StepView, masking: SensitiveViews, caller: Principal
) -> list[ExecutionSummary]:
    """Return the newest executions of the items that the selected step goes through, as far as they are visible."""
    newest = ExecutionFilter(parents=[found.execution_id], parent_steps=[selected.id], within=caller.processes)
    return list(masking.summaries(list_executions(reading, newest, limit=ITEMS)).items)


def _usual_time(
    found: ExecutionDetail, selected: StepView | None, now: datetime
) -> Question[UsualStepTime | None] | None:
    """Return the question for how long the selected step usually takes; None for one that takes no time of its own."""
    if selected is None or selected.type == "gateway" or selected.compensates is not None:
        return None
    return usual_step_time(found.process_id, selected.id, selected.type, now)


def _title(found: ExecutionDetail) -> str:
    """Return the name of the execution with the end of its id."""
    at = found.parent
    place = (None, None, None) if at is None else (at.item, at.key, at.round)
    return f"{run_name(found.process, found.body, *place)} {str(found.execution_id)[-8:]}"


def _crumbs(found: ExecutionDetail) -> list[tuple[str, str | None]]:
    """Return the way from the root; beyond five levels: the root, the first, how many more, the parent."""
    above: list[tuple[str, str | None]] = [
        (run_name(each.process, each.body, each.item, each.key, each.round), f"/executions/{each.execution_id}")
        for each in found.path
    ]
    if len(above) > 4:
        above = [*above[:2], (f"{len(above) - 3} more", f"/executions/{found.execution_id}/tree"), above[-1]]
    return [("Executions", "/executions"), *above, (_title(found), None)]


def _cause(reading: Reading, found: ExecutionDetail, caller: Principal) -> FailureCause | None:
    """Return the cause of a failure, if it is in an execution below this one that the caller sees."""
    if found.status not in ("failed", "compensating"):
        return None
    cause = find_cause(reading, found.execution_id).cause
    return cause if cause is not None and cause.distance and caller.sees(cause.process) else None


def _roles(found: ExecutionDetail, selected: StepView, given: DetailParameters) -> Question[dict[str, list[str]]]:
    """Return the question for who watches over the selected step and is informed of it, by role."""
    step = selected.compensates or selected.id
    place = f"{found.body}/{step}" if found.body else step
    return roles_of_step(found.process_id, place, LARGEST if given.as_of is None else found.position)


def _rounds(step: StepView) -> list[ChildExecution]:
    return [] if step.round is None else [each for each in step.children if each.round is not None]


def _selected(found: ExecutionDetail, step: str) -> StepView | None:
    return next((each for each in found.steps if each.id == step), None)


def _pictures(
    request: Request,
    found: ExecutionDetail,
    edges: list[tuple[str, str]],
    folds: Mapping[str, DrawnFold],
    show: str,
    items: Mapping[str, Sequence[ExecutionSummary]],
) -> dict[str, Any]:
    reader = reader_of(request)
    until = found.ended_at or reader.now
    open = found.ended_at is None
    end = picture.expected_end(found.steps, found.started_at, until) if open else until
    scale = Scale(found.started_at, end)
    ticks = scale.ticks(reader.zone)
    # One address, and the step at its end: five hundred addresses take longer than all else that is drawn of steps.
    others = url_with(request, {"step": None, "done": None})
    joint = "&" if "?" in others else "?"
    hrefs = {each.id: f"{others}{joint}step={quote_plus(each.id)}#step" for each in found.steps}
    undoing = [each for each in found.steps if each.compensates is not None]
    shown = [each for each in found.steps if each.compensates is None]
    known = {each.id for each in shown}
    parts = picture.parts([*shown, *undoing])
    part = parts.get(show)
    lines = [edge for edge in edges if edge[0] in known and edge[1] in known]
    return {
        "drawn": picture.drawn(shown, hrefs, folds, reader.now),
        "statuses": list(dict.fromkeys(each.status for each in shown)),
        "edges": lines,
        "taken": picture.taken(shown, lines),
        "scale": scale,
        "ticks": ticks,
        "rows": [
            (
                each,
                hrefs[each.id],
                [*picture.bars(each, until), *(picture.expected(each, until, end) if open else ())],
                picture.child_bars(items.get(each.id) or _rounds(each), until),
            )
            for each in (*shown, *undoing)
            if part is None or each.id in part
        ],
        "in_numbers": picture.in_numbers(found.steps, len(parts["open"]), open=open),
        "parts": [("All", "", len(shown) + len(undoing))]
        + [(name.capitalize(), name, len(parts[name])) for name in picture.SHOWN],
        "part": "" if part is None else show,
        "names": {each.id: each.name or each.id for each in found.steps},
        "kinds": picture.KINDS_IN_WORDS,
        "line": reader.now if open else None,
    }
