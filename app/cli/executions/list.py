"""executions: the list of executions."""

from datetime import datetime
from typing import Annotated

import msgspec
import typer

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
from app.cli.names import existing
from app.cli.opening import opened_reading
from app.cli.options import Cursor, JsonOption, Limit, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import amounts, moment, seconds, status, waits
from domain.executions.waiting import AWAITED_KINDS
from edge.references import batch_named
from edge.run_names import run_name
from queries.execution_conditions import COSTS
from queries.execution_list import STATUSES, TRIGGERS, ExecutionFilter, ExecutionSummary, list_executions
from queries.execution_orders import NEWEST, ORDERS
from queries.paging import Page

cli = typer.Typer()

WAITS_SHOWN = 3


@cli.command()
def executions(
    context: typer.Context,
    process: ProcessOption = None,
    status_: StatusOption = None,
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
    order: Annotated[
        str, typer.Option(help="newest, oldest: by start; ended, longest: of those that have ended; -cost: by cost.")
    ] = NEWEST,
    parent_step: ParentStepOption = None,
    batch: BatchOption = None,
    slot_key: SlotKeyOption = None,
    failure: FailureOption = None,
    failed_step: FailedStepOption = None,
    ran_step: RanStepOption = None,
    paid_step: PaidStepOption = None,
    cost: CostOption = None,
    currency: CurrencyOption = "",
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List executions, the newest first. Several values of an option mean any of them.

    By default, leave out executions that others started; --include-children, --parent and --root list them too.
    """
    output = output_of(context, json)
    if slot_key and not process:
        raise typer.BadParameter("a key is that of a line of a process: state --process too", param_hint="--slot-key")
    requested = ExecutionFilter(
        versions=version or [],
        statuses=known_words("--status", status_, STATUSES),
        triggers=known_words("--trigger", trigger, TRIGGERS),
        waiting_for=known_words("--waiting-for", waiting_for, AWAITED_KINDS),
        include_children=include_children,
        started_from=_time("--from", started_from),
        started_to=_time("--to", started_to),
        ended_from=_time("--ended-from", ended_from),
        ended_to=_time("--ended-to", ended_to),
        called_from=_time("--called-from", called_from),
        called_to=_time("--called-to", called_to),
        labels=label or [],
        parent_steps=parent_step or [],
        batches=[batch_named(each) for each in batch or []],
        slot_keys=slot_key or [],
        failures=failure or [],
        failed_steps=failed_step or [],
        ran_steps=ran_step or [],
        paid_steps=paid_step or [],
        cost="" if cost is None else known_words("--cost", [cost], COSTS)[0],
        currency=currency,
        order=known_words("--order", [order], tuple(ORDERS))[0],
    )
    with opened_reading(output) as reading:
        requested = msgspec.structs.replace(
            requested,
            process_ids=existing(reading.datastore, "process", process or []),
            parents=existing(reading.datastore, "execution", parent or []),
            roots=existing(reading.datastore, "execution", root or []),
        )
        page = list_executions(reading, requested, cursor=cursor, limit=limit)
    _show(output, page)


def _show(output: CommandOutput, page: Page[ExecutionSummary]) -> None:
    if output.json:
        output.document(page)
        return
    columns = ["execution", "process", "version", "status", "steps", "started", "duration", "tokens", "cost"]
    rows = [_row(each) for each in page.items]
    if any(each.parent_id is not None for each in page.items):
        columns.append("parent")
        rows = [(*row, each.parent_id) for row, each in zip(rows, page.items, strict=True)]
    if any(each.waiting_for for each in page.items):
        columns.append("waits for")
        rows = [(*row, _waits(each)) for row, each in zip(rows, page.items, strict=True)]
    output.table(columns, rows, right=NUMBERS)
    note_more(output, page.next_cursor)


def _row(execution: ExecutionSummary) -> tuple[object, ...]:
    return (
        execution.execution_id,
        run_name(execution.process, execution.body, execution.item, execution.key, execution.round),
        execution.version,
        status(execution.status),
        f"{execution.steps_done}/{execution.steps}",
        moment(execution.started_at),
        seconds(execution.duration),
        f"{execution.input_tokens + execution.output_tokens:,}",
        amounts(execution.cost),
    )


def _time(option: str, text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time is written like 2026-01-31T09:00:00Z", param_hint=option) from None
    if at is not None and at.tzinfo is None:
        raise typer.BadParameter("a time says its offset, as in 2026-01-31T09:00:00Z", param_hint=option)
    return at


def _waits(execution: ExecutionSummary) -> str:
    return waits(execution.waiting_for, execution.waiting_count, WAITS_SHOWN)
