"""retry, skip, reassign, cancel: repairs of an execution by its operator."""

from typing import Annotated

import typer

from app.cli.carrying_out import carry_out
from app.cli.names import naming
from app.cli.options import DryRun, ExecutionArgument, JsonOption, ReasonOption, StepArgument, words
from app.cli.output import output_of
from app.wiring import Wiring, operator
from commands.executions import CancelExecution
from commands.receipt import Receipt
from commands.repairs import ReassignStep, RetryExecution, RetryStep, SkipStep
from edge.references import execution_named

cli = typer.Typer()


@cli.command()
def retry(
    context: typer.Context,
    execution: ExecutionArgument,
    reason: ReasonOption,
    step: Annotated[
        str | None, typer.Option(help="Begin this step again, also while the execution runs.", callback=words)
    ] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Let a failed execution continue from its failed steps, or begin one step again, in new attempts."""
    output = output_of(context, json)
    id, cause = execution_named(execution), operator("cli:retry")

    def handle(wiring: Wiring) -> Receipt:
        if step is None:
            return wiring.repairs.retry_execution(RetryExecution(id, reason), cause)
        return wiring.repairs.retry_step(RetryStep(id, step, reason), cause)

    what = f"execution {id}" if step is None else f"step {step} of {id}"
    already = "an attempt is due already"
    carry_out(output, handle, what=what, done="goes on", already=already, facts={"step": step}, dry_run=dry_run)


@cli.command()
def skip(
    context: typer.Context,
    execution: ExecutionArgument,
    step: StepArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Continue without a step. A skipped gateway takes no route. A failed execution begins abandoned steps again."""
    output = output_of(context, json)
    command, cause = SkipStep(execution_named(execution), step, reason), operator("cli:skip")
    carry_out(
        output,
        lambda wiring: wiring.repairs.skip_step(command, cause),
        what=f"step {step} of {command.execution_id}",
        done="skipped",
        already="skipped already",
        facts={"step": step},
        dry_run=dry_run,
    )


@cli.command()
def reassign(
    context: typer.Context,
    execution: ExecutionArgument,
    step: StepArgument,
    agent: Annotated[
        str, typer.Argument(metavar="AGENT", help="The name of the agent that is to carry it out.", callback=words)
    ],
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Give a step to another agent. A new attempt replaces the one that is due, under way or to come."""
    output = output_of(context, json)
    command, cause = ReassignStep(execution_named(execution), step, agent, reason), operator("cli:reassign")

    def handle(wiring: Wiring) -> Receipt:
        with naming(wiring.datastore, "agent", agent):
            return wiring.repairs.reassign_step(command, cause)

    carry_out(
        output,
        handle,
        what=f"step {step} of {command.execution_id}",
        done=f"is {agent}'s now",
        already=f"is {agent}'s already",
        facts={"step": step, "agent": agent},
        dry_run=dry_run,
    )


@cli.command()
def cancel(
    context: typer.Context,
    execution: ExecutionArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Cancel an execution. Attempts under way are abandoned; completed steps with a compensation are compensated."""
    output = output_of(context, json)
    command, cause = CancelExecution(execution_named(execution), reason), operator("cli:cancel")
    carry_out(
        output,
        lambda wiring: wiring.executions.cancel(command, cause),
        what=f"execution {command.execution_id}",
        done="cancelled",
        already="cancelled already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )
