"""move-timer: changes when a timer is due."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.carrying_out import carry_out
from app.cli.options import DryRun, ExecutionArgument, JsonOption, ReasonOption, StepArgument
from app.cli.output import output_of
from app.cli.timers.kinds import Kind, kind_given
from app.cli.wording import moment
from app.wiring import operator
from commands.timers import MoveTimer
from domain.calendar.durations import parse_duration
from domain.executions.timers import TIMER
from edge.instants import parse_instant
from edge.references import execution_named

cli = typer.Typer()


@cli.command("move-timer")
def move_timer(
    context: typer.Context,
    execution: ExecutionArgument,
    step: StepArgument,
    reason: ReasonOption,
    kind: Kind = TIMER,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Due then, with an offset: 2026-01-31T09:00Z.")
    ] = None,
    in_: Annotated[
        str | None, typer.Option("--in", metavar="DURATION", help="Due after this time from now, as 30s, 5m or 1d.")
    ] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Move a timer. It can be due in a year at most; a time that is not in the future fires it."""
    output, cause = output_of(context, json), operator("cli:move-timer")
    due_at = _time(to, in_, cause.at)
    command = MoveTimer(execution_named(execution), step, kind_given(kind), due_at, reason)
    carry_out(
        output,
        lambda wiring: wiring.timers.move(command, cause),
        what=f"{kind} of {step} of {command.execution_id}",
        done=f"due at {moment(due_at)}" if due_at > cause.at else "fired",
        already="due then already",
        facts={"step": step, "kind": kind, "due_at": due_at},
        dry_run=dry_run,
        needs_worker=due_at <= cause.at,
    )


def _time(to: str | None, in_: str | None, now: datetime) -> datetime:
    if (to is None) == (in_ is None):
        raise typer.BadParameter("say when: give one of the two", param_hint="--to or --in")
    try:
        return parse_instant(to) if to is not None else now + parse_duration(in_)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--in" if to is None else "--to") from None
