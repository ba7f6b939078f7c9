"""Executions, one execution and events as text."""

from app.cli.output import Output
from app.cli.wording import amounts, moment, point, seconds, short, status
from queries.approvals import ApprovalView
from queries.differences import Difference
from queries.events import EventView
from queries.executions import ExecutionDetail, ExecutionSummary, StepView
from queries.paging import Page
from queries.timers import TimerView

LAG_WORTH_SAYING_SECONDS = 5.0
NUMBERS = frozenset({"steps", "duration", "tokens", "cost", "attempts", "version", "position", "overdue"})


def show_executions(output: Output, page: Page[ExecutionSummary]) -> None:
    """A list of executions."""
    if output.json:
        output.document(page)
        return
    columns = ["execution", "process", "version", "status", "steps", "started", "duration", "tokens", "cost"]
    rows = [_row(each) for each in page.items]
    if any(each.parent_id is not None for each in page.items):
        columns.append("parent")
        rows = [(*row, each.parent_id) for row, each in zip(rows, page.items, strict=True)]
    output.table(columns, rows, right=NUMBERS)
    _more(output, page.next_cursor)
    note_lag(output, page.lag_seconds)


def show_execution(output: Output, execution: ExecutionDetail) -> None:
    """One execution with its steps."""
    if output.json:
        output.document(execution)
        return
    output.line(f"{execution.execution_id}  {execution.process}, version {execution.version}")
    if execution.as_of is not None:
        output.line(f"as it was at {point(execution.as_of)}")
    for above in execution.path:
        output.line(f"below {above.execution_id}  {above.process}, step {above.step}")
    lasted = f" in {seconds(execution.duration)}" if execution.duration is not None else ""
    output.line(
        f"{execution.status}{lasted}, started {moment(execution.started_at)} by {execution.actor or 'nobody known'}"
    )
    for name in ("input", "outputs", "error"):
        if text := short(getattr(execution, name), 1_000):
            output.line(f"{name}: {text}")
    if cost := amounts(execution.cost.own):
        output.line(f"cost: {cost}")
    if (cost := amounts(execution.cost.with_children)) != amounts(execution.cost.own):
        output.line(f"cost with children: {cost}")
    columns = ("step", "status", "agent", "attempts", "duration", "tokens", "cost", "output or error")
    output.table(columns, [_step(step) for step in execution.steps], right=NUMBERS)
    for step in execution.steps:
        if step.chosen is not None:
            output.line(f"branch: {step.id} leads to {', '.join(step.chosen) or 'nothing'}")
        if step.compensation is not None:
            output.line(f"compensation: of {step.id} {step.compensation}")
        for child in step.children:
            called = f"attempt {child.attempt} of {step.id} called {child.execution_id}"
            output.line(f"child: {called}  {child.process}, version {child.version}: {child.status}")
    for timer in execution.timers:
        output.line(f"timer: {timer.kind} of {timer.step} is due at {moment(timer.due_at)}")
    note_lag(output, execution.lag_seconds)


def show_difference(output: Output, difference: Difference) -> None:
    """What changed in an execution."""
    if output.json:
        output.document(difference)
        return
    output.line(f"{difference.execution_id}  {difference.process}, version {difference.version}")
    output.line(f"from {point(difference.point_from)} to {point(difference.point_to)}")
    rows = [("", name, short(change.before), short(change.after)) for name, change in difference.changed.items()]
    for step in difference.steps:
        rows += [(step.id, name, short(change.before), short(change.after)) for name, change in step.changed.items()]
    output.table(("step", "what", "before", "after"), rows)


def show_timers(output: Output, page: Page[TimerView]) -> None:
    """What is due when."""
    if output.json:
        output.document(page)
        return
    columns = ("due", "overdue", "timer", "step", "process", "execution")
    rows = [
        (moment(t.due_at), seconds(t.overdue_seconds or None), t.kind, t.step, t.process, t.execution_id)
        for t in page.items
    ]
    output.table(columns, rows, right=NUMBERS)
    _more(output, page.next_cursor)
    note_lag(output, page.lag_seconds)


def show_approvals(output: Output, page: Page[ApprovalView]) -> None:
    """What people are asked, and what they decided."""
    if output.json:
        output.document(page)
        return
    rows = [
        (moment(a.requested_at), a.status, a.title, a.process, moment(a.deadline), a.decided_by, a.approval_id)
        for a in page.items
    ]
    output.table(("asked", "status", "title", "process", "deadline", "decided by", "approval"), rows)
    _more(output, page.next_cursor)
    note_lag(output, page.lag_seconds)


def show_events(output: Output, page: Page[EventView]) -> None:
    """The events of an execution."""
    if output.json:
        output.document(page)
        return
    rows = [(each.position, each.version, moment(each.at), each.type, short(each.data, 90)) for each in page.items]
    output.table(("position", "version", "at", "event", "data"), rows, right=NUMBERS)
    _more(output, page.next_cursor)


def note_lag(output: Output, lag_seconds: float) -> None:
    """Say so when read models are far behind: most likely nobody keeps them up to date."""
    if lag_seconds > LAG_WORTH_SAYING_SECONDS:
        output.note(f"read models are {seconds(lag_seconds)} behind: is a projector running (`procession work`)?")


def _row(execution: ExecutionSummary) -> tuple[object, ...]:
    return (
        execution.execution_id,
        execution.process,
        execution.version,
        status(execution.status),
        f"{execution.steps_done}/{execution.steps}",
        moment(execution.started_at),
        seconds(execution.duration),
        f"{execution.input_tokens + execution.output_tokens:,}",
        amounts(execution.cost),
    )


def _step(step: StepView) -> tuple[object, ...]:
    tokens = f"{step.usage.input_tokens + step.usage.output_tokens:,}" if step.usage else ""
    told = short(step.error) or short(step.output) or step.skip_reason or ""
    attempts = step.attempts or ""
    return step.id, status(step.status), step.agent, attempts, seconds(step.duration), tokens, amounts(step.cost), told


def _more(output: Output, cursor: str | None) -> None:
    if cursor is not None:
        output.line(f"more: --cursor {cursor}")
