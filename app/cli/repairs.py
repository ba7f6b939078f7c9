"""retry, timers: what operators look at and do when something does not go on."""

from typing import Annotated

import typer

from api.references import execution_named
from app.cli.opening import opened
from app.cli.options import Cursor, Json, Limit
from app.cli.output import output_of
from app.cli.showing import show_timers
from app.installation import live_workers
from app.wiring import operator
from commands.repairs import RetryExecution, RetryStep
from queries.timers import list_timers

cli = typer.Typer()


@cli.command()
def retry(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    reason: Annotated[str, typer.Option(help="Why, for people.")],
    step: Annotated[str | None, typer.Option(help="Begin this step again, also while the execution runs.")] = None,
    json: Json = False,
) -> None:
    """Let a failed execution go on from what failed, or begin one step again, in new attempts."""
    output = output_of(context, json)
    if not reason.strip():
        raise typer.BadParameter("says why", param_hint="--reason")
    id, cause = execution_named(execution), operator("cli:retry")
    with opened(output) as wiring:
        if step is None:
            receipt = wiring.repairs.retry_execution(RetryExecution(id, reason), cause)
        else:
            receipt = wiring.repairs.retry_step(RetryStep(id, step, reason), cause)
        if live_workers(wiring.datastore) == 0:
            output.note("no worker is running: it goes on when `procession work` or `procession up` is started")
    answer = {**receipt.facts, "step": step, "new": not receipt.duplicate, "position": receipt.position}
    what = f"execution {id}" if step is None else f"step {step} of {id}"
    output.answer(answer, f"{what}: " + ("an attempt is due already" if receipt.duplicate else "goes on"))


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
