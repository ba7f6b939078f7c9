"""schedules list, show, preview, pause, resume, run-now, backfill."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.lists import NUMBERS, note_more
from app.cli.names import existing
from app.cli.opening import opened, opened_reading
from app.cli.options import Cursor, DryRun, JsonOption, Limit, known_words, words
from app.cli.output import output_of
from app.cli.schedule_previews import preview
from app.cli.wording import amounts, moment, seconds, status
from edge.instants import parse_instant
from edge.references import schedule_named

cli = typer.Typer(help="Schedules, which start executions by the clock.", no_args_is_help=True, rich_markup_mode=None)

cli.command()(preview)

ScheduleArgument = Annotated[str, typer.Argument(metavar="SCHEDULE", help="The id of a schedule.")]
Why = Annotated[str, typer.Option("--reason", help="The reason, for people.", callback=words)]


@cli.command("list")
def list_(
    context: typer.Context,
    process: Annotated[list[str] | None, typer.Option(help="Only of this process, by name or id; repeatable.")] = None,
    state: Annotated[
        list[str] | None, typer.Option("--status", help="active, paused, ended or removed; repeatable.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """List schedules, the one that runs next first."""
    from queries.schedules import STATUSES, ScheduleFilter, list_schedules

    output = output_of(context, json)
    statuses = known_words("--status", state, STATUSES)
    with opened_reading(output) as reading:
        filter = ScheduleFilter(process_ids=existing(reading.datastore, "process", process or []), statuses=statuses)
        page = list_schedules(reading, filter, cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    columns = ("next run", "process", "trigger", "rule", "status", "last", "failures", "schedule")
    rows = [
        (moment(each.next_run), each.process, each.trigger_id, each.words, status(each.status), each.last_outcome,
         each.consecutive_failures or None, each.schedule_id)
        for each in page.items
    ]  # fmt: skip
    output.table(columns, rows, right=NUMBERS)
    note_more(output, page.next_cursor)


@cli.command()
def show(
    context: typer.Context,
    schedule: ScheduleArgument,
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Instants from then on.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Instants before then.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    json: JsonOption = False,
) -> None:
    """Show one schedule with its ledger: each expected instant and its outcome, the latest first."""
    from queries.occurrences import list_occurrences
    from queries.schedules import get_schedule

    output, id = output_of(context, json), schedule_named(schedule)
    first, last = (None if each is None else _instant(each) for each in (begin, end))
    with opened_reading(output) as reading:
        found = get_schedule(reading, id)
        ledger = list_occurrences(reading, id, first, last, cursor=cursor, limit=limit)
    if json:
        output.document({"schedule": found, "occurrences": ledger})
        return
    output.line(f"{found.process}, {found.trigger_id}: {found.words}, {found.status}")
    output.line(f"next run {moment(found.next_run) if found.next_run else '-'}")
    if found.usual_duration is not None:
        output.line(
            f"usually takes {seconds(found.usual_duration)}, costs {amounts(found.usual_cost or []) or 'nothing'}"
        )
    counts = ledger.counts
    output.line(
        f"{counts.expected} expected: {counts.started} started, {counts.skipped} skipped, {counts.missed} missed,"
        f" {counts.coalesced} coalesced, {counts.backfilled} backfilled, {counts.moved} moved"
    )
    rows = [
        (moment(each.scheduled_at), status(each.outcome), each.reason, seconds(each.lateness_seconds),
         each.execution_id)
        for each in ledger.items
    ]  # fmt: skip
    output.table(("instant", "outcome", "reason", "late", "execution"), rows, right=NUMBERS)
    note_more(output, ledger.next_cursor)


@cli.command()
def pause(
    context: typer.Context,
    schedule: ScheduleArgument,
    reason: Why = "",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Pause a schedule; each instant until it is resumed is skipped."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.schedules import PauseSchedule

    command, cause = PauseSchedule(schedule_named(schedule), reason), operator("cli:schedules")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.schedules.pause(command, cause),
        what=str(command.schedule_id),
        done="paused",
        already="paused already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
    )


@cli.command()
def resume(
    context: typer.Context,
    schedule: ScheduleArgument,
    reason: Why = "",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Resume a schedule; it catches up once on what the pause skipped, by its rule."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.schedules import ResumeSchedule

    command, cause = ResumeSchedule(schedule_named(schedule), reason), operator("cli:schedules")
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.schedules.resume(command, cause),
        what=str(command.schedule_id),
        done="resumed",
        already="active already",
        facts={},
        dry_run=dry_run,
    )


@cli.command("run-now")
def run_now(
    context: typer.Context,
    schedule: ScheduleArgument,
    reason: Why = "",
    json: JsonOption = False,
) -> None:
    """Start an execution of a schedule now; its cadence stays."""
    from app.wiring import operator
    from commands.schedules import RunScheduleNow

    output = output_of(context, json)
    command = RunScheduleNow(schedule_named(schedule), reason)
    with opened(output) as wiring:
        receipt = wiring.schedules.run_now(command, operator("cli:schedules"))
    output.answer({**receipt.facts, "position": receipt.position}, str(receipt.facts["execution_id"]))


@cli.command()
def backfill(
    context: typer.Context,
    schedule: ScheduleArgument,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="The first instant: 2026-01-31T09:00Z.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The first instant after the range.")],
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Start an execution for each instant of a range that started none."""
    from app.wiring import operator
    from commands.schedules import BackfillSchedule

    output = output_of(context, json)
    command = BackfillSchedule(schedule_named(schedule), _instant(begin), _instant(end), dry_run)
    with opened(output) as wiring:
        receipt = wiring.schedules.backfill(command, operator("cli:schedules"))
    done = "would start" if dry_run else "started"
    count, skipped = receipt.facts["count"], receipt.facts["skipped"]
    answer = {**receipt.facts, "dry_run": dry_run, "position": receipt.position}
    output.answer(answer, f"{command.schedule_id}: {count} {done}, {skipped} left as they are")


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
