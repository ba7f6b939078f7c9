"""An execution as a picture: its steps on the diagram, and their bars on the timeline."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from domain.executions.events.outcomes import OPEN
from edge.run_names import place_name
from queries.executions import AttemptView, ExecutionSummary, StepView
from queries.steps import ChildExecution
from web import wording
from web.drawings.boxes import DrawnFold, DrawnStep
from web.drawings.ranks import DiagramEdge
from web.drawings.timeline import TimelineBar

Below = tuple[ChildExecution | ExecutionSummary, str, list[TimelineBar]]
"""A row below a step: an execution that it started, with its name and its bars."""
KINDS_IN_WORDS = (
    ("ok", "worked"),
    ("run", "works now"),
    ("bad", "failed"),
    ("wait", "waited"),
    ("pause", "paused before a retry"),
    ("undo", "undid a step"),
    ("expected", "expected"),
)
MARKED = {
    "ExecutionStarted": "run",
    "ExecutionRetried": "run",
    "StepStarted": "run",
    "StepCompleted": "ok",
    "ExecutionCompleted": "ok",
    "ApprovalGranted": "ok",
    "StepFailed": "bad",
    "StepTimedOut": "bad",
    "ExecutionFailed": "bad",
    "ApprovalRefused": "bad",
    "StepRetryScheduled": "retry",
    "ApprovalRequested": "wait",
    "TimerStarted": "wait",
    "SubProcessStarted": "wait",
    "ItemsListed": "wait",
    "RoundCompleted": "ok",
    "CompensationStarted": "undo",
    "ExecutionCancelled": "idle",
    "StepSkipped": "idle",
}
"""The events that the slider marks, each in the colour of what it does."""
PLACES = 100
SHOWN = ("open", "trouble")
"""The parts of the timeline that can be shown alone."""
WAITS = frozenset(("human_approval", "timer", "sub_process"))
_KINDS = {"completed": "ok", "failed": "bad", "timed_out": "bad", "cancelled": "idle"}
_ENDED_BADLY = frozenset(("failed", "timed_out", "cancelled"))
_SHOWN_WAIT = timedelta(milliseconds=50)
_WAITING = ("waiting", "retrying")
_DONE = ("completed", "skipped", "failed", "timed_out", "cancelled")
_TROUBLE = frozenset(("failed", "timed_out", "retrying"))
_REACHED_NOTHING = frozenset(("pending", "skipped"))


def drawn(
    steps: Sequence[StepView], hrefs: Mapping[str, str], folds: Mapping[str, DrawnFold], now: datetime
) -> list[DrawnStep]:
    """Return the steps as a diagram shows them. hrefs: where each leads. folds: of those that hold others."""
    return [
        DrawnStep(
            id=step.id,
            name=step.name or step.id,
            type=step.type,
            status=step.status,
            note=note_of(step, now),
            href=hrefs[step.id],
            fold=folds.get(step.id),
        )
        for step in steps
    ]


def note_of(step: StepView, now: datetime) -> str:
    """Return the few words about a step: the time that is left, its attempts, or its duration."""
    if step.items is not None and step.status in OPEN:
        return f"{step.items.completed + step.items.failed} of {step.items.count}"
    if step.round is not None and step.round > 1:
        return f"{step.round} rounds"
    if step.due_at is not None and step.status in _WAITING and step.due_at > now:
        return f"{wording.duration((step.due_at - now).total_seconds())} left"
    if step.attempts > 1:
        return f"{step.attempts} attempts"
    return "" if step.duration is None or step.type == "gateway" else wording.duration(step.duration)


def who_of(step: StepView) -> str:
    """Return who or what a step waits for or went to: its agent, the called process, the targets of a gateway."""
    if step.skip_reason is not None and step.status == "skipped":
        return step.skip_reason.replace("_", " ")
    if step.items is not None:
        failed = f", {step.items.failed} failed" if step.items.failed else ""
        return f"{step.items.completed} of {step.items.count} items{failed}"
    if step.round is not None:
        return f"round {step.round}"
    if step.type == "sub_process" and step.children:
        return f"calls {step.children[-1].process} v{step.children[-1].version}"
    if step.type == "gateway" and step.chosen is not None:
        return f"chose {', '.join(step.chosen) or 'nothing'}"
    return step.agent or step.type.replace("_", " ")


def parts(steps: Sequence[StepView]) -> dict[str, frozenset[str]]:
    """Return the ids of the steps of each part of the timeline: those under way, and those with a failed attempt."""
    return {
        "open": frozenset(step.id for step in steps if step.status in OPEN),
        "trouble": frozenset(step.id for step in steps if _troubled(step)),
    }


def _troubled(step: StepView) -> bool:
    if step.status in _TROUBLE or step.compensation == "failed":
        return True
    return any(attempt.status in _TROUBLE for attempt in step.attempt_list)


def in_numbers(steps: Sequence[StepView], under_way: int, *, open: bool) -> tuple[int, str]:
    """Return how many steps are done, and the others in words: ``1 skipped, 2 under way, 3 to come``."""
    counts = Counter(step.status for step in steps)
    beside = (
        (counts["skipped"], "skipped"),
        (under_way, "under way"),
        (counts["pending"], "to come" if open else "not reached"),
    )
    return sum(counts[each] for each in _DONE), ", ".join(f"{many} {word}" for many, word in beside if many)


def taken(steps: Sequence[StepView], edges: Sequence[DiagramEdge]) -> list[DiagramEdge]:
    """Return the edges that the execution has taken."""
    known = {step.id: step for step in steps}

    def went(edge: DiagramEdge) -> bool:
        source, target = known[edge[0]], known[edge[1]]
        if source.status in _REACHED_NOTHING or target.status in _REACHED_NOTHING:
            return False
        return source.chosen is None or target.id in source.chosen

    return [edge for edge in edges if went(edge)]


def expected_end(steps: Sequence[StepView], begin: datetime, now: datetime) -> datetime:
    """Return the last end of a wait that a timeline shows too: one no further ahead than the past of it; else `now`."""
    ends = (step.due_at for step in steps if step.status in _WAITING)
    return max((end for end in ends if end is not None and now < end <= now + (now - begin)), default=now)


def expected(step: StepView, now: datetime, end: datetime) -> list[TimelineBar]:
    """Return the outline of a wait that goes on, up to its end or that of the timeline."""
    if step.status not in _WAITING or step.due_at is None or not now < min(step.due_at, end):
        return []
    return [TimelineBar("expected", now, min(step.due_at, end))]


def bars(step: StepView, now: datetime) -> list[TimelineBar]:
    """Return the bars of a step: of each attempt its wait and its work, and the pauses between attempts."""
    if step.type == "gateway" or not step.attempt_list:
        end = step.completed_at
        return [] if end is None else [TimelineBar("mark", end, end)]
    found: list[TimelineBar] = []
    before: datetime | None = None
    for attempt in step.attempt_list:
        begin = attempt.scheduled_at or attempt.started_at or attempt.ended_at
        if begin is None:
            continue
        if before is not None and begin > before:
            found.append(TimelineBar("retry", before, begin))
        found += _bars_of(step, attempt, begin, now)
        before = attempt.ended_at or now
    if step.status == "retrying" and before is not None:
        found.append(TimelineBar("retry", before, now))
    return found


def _bars_of(step: StepView, attempt: AttemptView, begin: datetime, now: datetime) -> list[TimelineBar]:
    end = attempt.ended_at or now
    started = attempt.started_at
    if attempt.status == "scheduled" or started is None:
        return [TimelineBar("wait", begin, end)]
    if step.type in WAITS:
        return [
            TimelineBar(_KINDS.get(attempt.status, "wait") if attempt.status in _ENDED_BADLY else "wait", begin, end)
        ]
    kind = "undo" if step.compensates is not None else _KINDS.get(attempt.status, "run")
    work = TimelineBar(kind, started, end)
    return [TimelineBar("wait", begin, started), work] if started - begin >= _SHOWN_WAIT else [work]


def child_bars(children: Sequence[ChildExecution | ExecutionSummary], now: datetime) -> list[Below]:
    """Return the rows below a step that repeats: of each round or item its execution, its name and its bar."""
    found: list[Below] = []
    for child in children:
        item, key = (child.item, child.key) if isinstance(child, ExecutionSummary) else (None, None)
        name = place_name(item, key, child.round)
        begin = child.started_at
        kind = _KINDS.get(child.status, "run")
        bars = [] if begin is None else [TimelineBar(kind, begin, child.ended_at or now)]
        found.append((child, name or str(child.execution_id)[-8:], bars))
    return found
