"""timers, fire-timer, move-timer: what happens by itself and when, and how operators change that."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.deciding import carry_out
from app.cli.opening import opened
from app.cli.options import Cursor, DryRun, ExecutionId, Json, Limit, Reason, StepId
from app.cli.output import output_of
from app.cli.showing import show_timers
from app.cli.wording import moment
from app.wiring import operator
from commands.timers import FireTimer, MoveTimer
from domain.calendar.durations import parse_duration
from domain.executions.timers import KINDS, TIMER
from domain.words import did_you_mean
from edge.instants import parse_instant
from edge.references import execution_named
from queries.timers import list_timers

cli = typer.Typer()

Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"What it is for: {', '.join(KINDS)}.", show_default=True)]


@cli.command()
def timers(
    context: typer.Context,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that should have fired by now.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List timers: what happens by itself and when, the next first."""
    output = output_of(context, json)
    with opened(output) as wiring:
        page = list_timers(wiring.reading, overdue=overdue, cursor=cursor, limit=limit)
    show_timers(output, page)


@cli.command("fire-timer")
def fire_timer(
    context: typer.Context,
    execution: ExecutionId,
    step: StepId,
    reason: Reason,
    kind: Kind = TIMER,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Fire a timer now. What would have happened when it was due happens at once."""
    output = output_of(context, json)
    command, cause = FireTimer(execution_named(execution), step, _known(kind), reason), operator("cli:fire-timer")
    carry_out(
        output,
        lambda wiring: wiring.timers.fire(command, cause),
        what=f"{kind} of {step} of {command.execution_id}",
        done="fired",
        already="fired already",
        facts={"step": step, "kind": kind},
        dry_run=dry_run,
    )


@cli.command("move-timer")
def move_timer(
    context: typer.Context,
    execution: ExecutionId,
    step: StepId,
    reason: Reason,
    kind: Kind = TIMER,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Due then, with an offset: 2026-01-31T09:00Z.")
    ] = None,
    in_: Annotated[
        str | None, typer.Option("--in", metavar="DURATION", help="Due so long from now, as 30s, 5m or 1d.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Move a timer. It can be due in a year at most; a time that is not in the future fires it."""
    output, cause = output_of(context, json), operator("cli:move-timer")
    due_at = _time(to, in_, cause.at)
    command = MoveTimer(execution_named(execution), step, _known(kind), due_at, reason)
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


def _known(kind: str) -> str:
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"there are {', '.join(KINDS)}"
        raise typer.BadParameter(f"there are no timers of kind {kind!r}; {hint}", param_hint="KIND")
    return kind


def _time(to: str | None, in_: str | None, now: datetime) -> datetime:
    if (to is None) == (in_ is None):
        raise typer.BadParameter("say when: give one of the two", param_hint="--to or --in")
    try:
        return parse_instant(to) if to is not None else now + parse_duration(in_)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--in" if to is None else "--to") from None
