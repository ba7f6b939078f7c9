"""An execution as a picture: its steps on the diagram, and their bars on the timeline."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from queries.executions import StepView
from web import wording
from web.drawings.diagram import DrawnStep
from web.drawings.ranks import DiagramEdge
from web.drawings.timeline import TimelineBar

WAITS = frozenset(("human_approval", "timer", "sub_process"))
_KINDS = {"completed": "ok", "failed": "bad", "timed_out": "bad", "cancelled": "idle"}
_REACHED_NOTHING = frozenset(("pending", "skipped"))


def drawn(steps: Sequence[StepView], hrefs: Mapping[str, str]) -> list[DrawnStep]:
    """Return the steps as a diagram shows them. hrefs: where each leads."""
    return [
        DrawnStep(
            id=step.id,
            name=step.name or step.id,
            type=step.type,
            status=step.status,
            note=note_of(step),
            href=hrefs[step.id],
        )
        for step in steps
    ]


def note_of(step: StepView) -> str:
    """Return the few words about a step: its attempts, or its duration."""
    if step.attempts > 1:
        return f"{step.attempts} attempts"
    return "" if step.duration is None or step.type == "gateway" else wording.duration(step.duration)


def taken(steps: Sequence[StepView], edges: Sequence[DiagramEdge]) -> list[DiagramEdge]:
    """Return the edges that the execution has taken."""
    known = {step.id: step for step in steps}

    def went(edge: DiagramEdge) -> bool:
        source, target = known[edge[0]], known[edge[1]]
        if source.status in _REACHED_NOTHING or target.status in _REACHED_NOTHING:
            return False
        return source.chosen is None or target.id in source.chosen

    return [edge for edge in edges if went(edge)]


def bars(step: StepView, now: datetime) -> list[TimelineBar]:
    """Return the bars of a step: its last attempt, and the pause before the next one."""
    begin = step.started_at or step.scheduled_at
    if begin is None:
        return [] if step.completed_at is None else [TimelineBar("mark", step.completed_at, step.completed_at)]
    end = step.completed_at or now
    if step.type == "gateway":
        return [TimelineBar("mark", end, end)]
    if step.status == "retrying":
        return [TimelineBar("retry", begin, now)]
    if step.status == "scheduled" or (step.type in WAITS and step.status in ("completed", "waiting", "started")):
        return [TimelineBar("wait", begin, end)]
    kind = "undo" if step.compensates is not None else _KINDS.get(step.status, "run")
    return [TimelineBar("wait" if step.status == "waiting" else kind, begin, end)]
