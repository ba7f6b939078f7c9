"""batches create, run, stop, show, list: acts on many executions."""

from typing import Annotated

import typer

from app.cli.carrying_out import carry_out
from app.cli.executions.filters import (
    BatchOption,
    CalledFromOption,
    CalledToOption,
    CostOption,
    CurrencyOption,
    EndedFromOption,
    EndedToOption,
    FailedStepOption,
    FailureOption,
    IncludeChildrenOption,
    LabelOption,
    PaidStepOption,
    ParentOption,
    ParentStepOption,
    ProcessOption,
    RanStepOption,
    RootOption,
    SlotKeyOption,
    StartedFromOption,
    StartedToOption,
    StatusOption,
    TriggerOption,
    VersionOption,
    WaitingForOption,
)
from app.cli.lists import NUMBERS, note_more
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, JsonOption, Limit, ReasonOption, known_words, words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment
from app.settings import read_settings
from app.wiring import operator
from commands.batches import FreezeBatch, RunBatch, StopBatch
from domain.batches.acts import ACTS
from domain.listed_values import join_values
from edge.references import batch_named
from queries.batches import BatchSummary, BatchView, get_batch, list_batches

cli = typer.Typer(
    help="Batches, which act on many executions at once.", rich_markup_mode=None, invoke_without_command=True
)

BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The id of a batch.")]


@cli.callback()
def default(context: typer.Context, json: JsonOption = False) -> None:
    """List the batches, unless a command follows."""
    if context.invoked_subcommand is None:
        list_(context, json=json)


@cli.command()
def create(
    context: typer.Context,
    act: Annotated[str, typer.Option(help=f"{', '.join(ACTS)}.")],
    step: Annotated[str | None, typer.Option(help="Of this step of each execution.", callback=words)] = None,
    agent: Annotated[str | None, typer.Option(help="The agent that gets the step.", callback=words)] = None,
    process: ProcessOption = None,
    status: StatusOption = None,
    version: VersionOption = None,
    trigger: TriggerOption = None,
    parent: ParentOption = None,
    root: RootOption = None,
    waiting_for: WaitingForOption = None,
    include_children: IncludeChildrenOption = False,
    started_from: StartedFromOption = None,
    started_to: StartedToOption = None,
    ended_from: EndedFromOption = None,
    ended_to: EndedToOption = None,
    called_from: CalledFromOption = None,
    called_to: CalledToOption = None,
    label: LabelOption = None,
    parent_step: ParentStepOption = None,
    batch: BatchOption = None,
    slot_key: SlotKeyOption = None,
    failure: FailureOption = None,
    failed_step: FailedStepOption = None,
    ran_step: RanStepOption = None,
    paid_step: PaidStepOption = None,
    cost: CostOption = None,
    currency: CurrencyOption = "",
    json: JsonOption = False,
) -> None:
    """Freeze the list of the executions that the filter finds, for one act on each; do nothing to them yet."""
    from app.cli.caught_up import caught_up, require_caught_up
    from edge.batches import with_list  # imports FastAPI, which no other command of this group needs

    output = output_of(context, json)
    known_words("--act", [act], tuple(ACTS))
    filter = {
        "process": process,
        "status": status,
        "version": version,
        "trigger": trigger,
        "parent": parent,
        "root": root,
        "waiting_for": waiting_for,
        "include_children": include_children or None,
        "from": started_from,
        "to": started_to,
        "ended_from": ended_from,
        "ended_to": ended_to,
        "called_from": called_from,
        "called_to": called_to,
        "label": label,
        "parent_step": parent_step,
        "batch": batch,
        "slot_key": [join_values([key]) for key in slot_key or []] or None,
        "failure": failure,
        "failed_step": failed_step,
        "ran_step": ran_step,
        "paid_step": paid_step,
        "cost": cost,
        "currency": currency or None,
    }
    command = FreezeBatch(act, filter, step or "", agent)
    with opened(output) as wiring, caught_up(output, wiring.reading) as reading:
        command = with_list(reading, command, (), read_settings().max_batch)
        require_caught_up(reading)
        receipt = wiring.batches.freeze(command, operator("cli:batches-create"))
    id = receipt.facts["batch_id"]
    output.answer(
        {**receipt.facts, "position": receipt.position},
        f"batch {id}: {_act(act, step, agent)}, {receipt.facts['count']:,} executions, frozen for an hour",
        f"run it: procession batches run {id} --reason TEXT",
    )


@cli.command()
def run(context: typer.Context, batch: BatchArgument, reason: ReasonOption, json: JsonOption = False) -> None:
    """Act on the list of a batch; workers go through it."""
    output = output_of(context, json)
    command, cause = RunBatch(batch_named(batch), reason), operator("cli:batches-run")
    carry_out(
        output,
        lambda wiring: wiring.batches.run(command, cause),
        what=f"batch {command.batch_id}",
        done="runs",
        already="has started already",
        facts={},
        dry_run=False,
    )


@cli.command()
def stop(context: typer.Context, batch: BatchArgument, reason: ReasonOption, json: JsonOption = False) -> None:
    """Leave the rest of the list of a batch alone; what is done stays."""
    output = output_of(context, json)
    command, cause = StopBatch(batch_named(batch), reason), operator("cli:batches-stop")
    carry_out(
        output,
        lambda wiring: wiring.batches.stop(command, cause),
        what=f"batch {command.batch_id}",
        done="stopped",
        already="was stopped already",
        facts={},
        dry_run=False,
        needs_worker=False,
    )


@cli.command()
def show(context: typer.Context, batch: BatchArgument, json: JsonOption = False) -> None:
    """Show one batch with its progress, and the executions on which it could not act."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        found = get_batch(reading, batch_named(batch))
    if json:
        output.document(found)
        return
    _show(output, found)


@cli.command("list")
def list_(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List batches, the newest first."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_batches(reading, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    rows = [
        (each.batch_id, _act(each.act, each.step, each.agent), each.status, _progress(each), moment(each.frozen_at))
        for each in page.items
    ]
    output.table(("batch", "act", "status", "gone through", "frozen"), rows, right=NUMBERS | {"gone through"})
    note_more(output, page.next_cursor)


def _show(output: CommandOutput, found: BatchView) -> None:
    output.line(f"{found.batch_id}  {_act(found.act, found.step, found.agent)}: {found.status}, {_progress(found)}")
    filter = " ".join(f"{word}={_value(value)}" for word, value in found.words.items())
    output.line(f"filter: {filter}")
    output.line(f"frozen {moment(found.frozen_at)} by {found.frozen_by}")
    if found.run_by is not None and found.started_at is not None:
        output.line(f"run {moment(found.started_at)} by {found.run_by}: {found.reason}")
    if found.stopped_by is not None and found.ended_at is not None:
        output.line(f"stopped {moment(found.ended_at)} by {found.stopped_by}: {found.stop_reason}")
    output.line(f"done {found.done:,}, done before {found.unchanged:,}, refused {found.refused_count:,}")
    for count in found.refused:
        output.line(f"refused: {count.count:,} {count.code}")
    if found.refused_executions:
        rows = [(each.execution_id, each.code, each.message) for each in found.refused_executions]
        output.table(("refused", "code", "why"), rows)


def _act(act: str, step: str | None, agent: str | None) -> str:
    return act + (f" {step}" if step else "") + (f" to {agent}" if agent else "")


def _progress(batch: BatchSummary) -> str:
    return f"{batch.passed:,} of {batch.count:,}"


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
