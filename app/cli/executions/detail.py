"""One execution with its steps as text."""

from app.cli.lists import NUMBERS
from app.cli.output import CommandOutput
from app.cli.wording import amounts, moment, point, seconds, short, status, wait_words
from edge.run_names import run_name
from queries.causes import FailureCause
from queries.executions import ExecutionDetail
from queries.steps import StepView

ERROR = 100_000  # characters: more than any error has


class ExplainedExecution(ExecutionDetail, frozen=True):
    """An execution with the cause of its failure; None: it has not failed, or it is shown as of a point."""

    cause: FailureCause | None = None


def show_execution(output: CommandOutput, execution: ExecutionDetail, cause: FailureCause | None = None) -> None:
    """Write one execution with its steps. cause: of its failure."""
    if output.json:
        fields = {name: getattr(execution, name) for name in ExecutionDetail.__struct_fields__}
        output.document(ExplainedExecution(**fields, cause=cause))
        return
    at = execution.parent
    place = (None, None, None) if at is None else (at.item, at.key, at.round)
    named = run_name(execution.process, execution.body, *place)
    output.line(f"{execution.execution_id}  {named}, version {execution.version}")
    if execution.as_of is not None:
        output.line(f"as it was at {point(execution.as_of)}")
    for above in execution.path:
        named = run_name(above.process, above.body, above.item, above.key, above.round)
        output.line(f"below {above.execution_id}  {named}, step {above.step}")
    lasted = f" in {seconds(execution.duration)}" if execution.duration is not None else ""
    output.line(
        f"{execution.status}{lasted}, started {moment(execution.started_at)} by {execution.actor or 'nobody known'}"
    )
    for name in ("input", "outputs", "error"):
        if text := short(getattr(execution, name), 1_000):
            output.line(f"{name}: {text}")
    if cause is not None:
        where = f" of {cause.execution_id}  {cause.process}" if cause.distance else ""
        output.line(f"cause: attempt {cause.attempt or 1} of {cause.step}{where}")
    if cost := amounts(execution.cost.own):
        output.line(f"cost: {cost}")
    if (cost := amounts(execution.cost.with_children)) != amounts(execution.cost.own):
        output.line(f"cost with children: {cost}")
    columns = ("step", "status", "agent", "attempts", "duration", "tokens", "cost", "output or error")
    output.table(columns, [_step(step, output.most) for step in execution.steps], right=NUMBERS)
    for step in execution.steps:
        if step.chosen is not None:
            output.line(f"branch: {step.id} leads to {', '.join(step.chosen) or 'nothing'}")
        if step.compensation is not None:
            output.line(f"compensation: of {step.id} {step.compensation}")
        if step.items is not None:
            failed = f", {step.items.failed} failed" if step.items.failed else ""
            output.line(f"items: of {step.id} {step.items.completed} of {step.items.count} completed{failed}")
        for child in step.children:
            round = "" if child.round is None else f", round {child.round},"
            called = f"attempt {child.attempt} of {step.id}{round} called {child.execution_id}"
            output.line(f"child: {called}  {child.process}, version {child.version}: {child.status}")
    for wait in execution.waiting_for:
        output.line(f"waits for: {wait_words(wait)}")
    if execution.queue_position is not None:
        output.line(in_line(execution))
    for timer in execution.timers:
        output.line(f"timer: {timer.kind} of {timer.step} is due at {moment(timer.due_at)}")


def in_line(execution: ExecutionDetail) -> str:
    """Return the sentence about an execution that waits in a line."""
    limit = "" if execution.slot_limit is None else f", where {execution.slot_limit:,} may run at once"
    key = f" of {execution.slot_key}" if execution.slot_key else ""
    return f"place in line: {execution.queue_position:,}{key}, priority {execution.priority or 0}{limit}"


def _step(step: StepView, most: int) -> tuple[object, ...]:
    """Return the cells of a step. An error is shown whole."""
    tokens = f"{step.usage.input_tokens + step.usage.output_tokens:,}" if step.usage else ""
    text = short(step.error, ERROR) or short(step.output, most) or step.skip_reason or ""
    attempts = step.attempts or ""
    return step.id, status(step.status), step.agent, attempts, seconds(step.duration), tokens, amounts(step.cost), text
