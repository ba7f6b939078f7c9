"""fire-timer: fires a timer before it is due."""

import typer

from app.cli.carrying_out import carry_out
from app.cli.options import DryRun, ExecutionArgument, JsonOption, ReasonOption, StepArgument
from app.cli.output import output_of
from app.cli.timers.kinds import Kind, kind_given
from app.wiring import operator
from commands.timers import FireTimer
from domain.executions.timers import TIMER
from edge.references import execution_named

cli = typer.Typer()


@cli.command("fire-timer")
def fire_timer(
    context: typer.Context,
    execution: ExecutionArgument,
    step: StepArgument,
    reason: ReasonOption,
    kind: Kind = TIMER,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Fire a timer now. Its effect, due later, takes place at once."""
    output = output_of(context, json)
    command, cause = FireTimer(execution_named(execution), step, kind_given(kind), reason), operator("cli:fire-timer")
    carry_out(
        output,
        lambda wiring: wiring.timers.fire(command, cause),
        what=f"{kind} of {step} of {command.execution_id}",
        done="fired",
        already="fired already",
        facts={"step": step, "kind": kind},
        dry_run=dry_run,
    )
