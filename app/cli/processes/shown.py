"""processes list, show, archive, restore, pause, resume: published processes, and the drafts beside them."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.lists import NUMBERS, note_more
from app.cli.names import naming
from app.cli.opening import opened_reading
from app.cli.options import Cursor, DryRun, JsonOption, Limit, ReasonOption, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, status
from edge.references import process_named
from queries.processes import ProcessDetail, ProcessFilter, ProcessSummary, get_process, list_processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.wiring import Wiring
    from commands.receipt import Receipt

ProcessArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name, or the id, of a process.")]

cli = typer.Typer(help="Processes, published and drafted.", no_args_is_help=True, rich_markup_mode=None)


@cli.command("list")
def list_(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, json: JsonOption = False) -> None:
    """List processes by name."""
    output = output_of(context, json)
    with opened_reading(output) as reading:
        page = list_processes(reading, ProcessFilter(), cursor=cursor, limit=limit)
    if json:
        output.document(page)
        return
    columns = ("process", "status", "version", "draft", "executions", "success 30 d", "last started", "last status")
    output.table(columns, [_row(each) for each in page.items], right=NUMBERS | {"executions", "success 30 d"})
    note_more(output, page.next_cursor)


@cli.command()
def show(
    context: typer.Context,
    process: ProcessArgument,
    json: JsonOption = False,
) -> None:
    """Show a process: its published version, and beside it the draft."""
    output = output_of(context, json)
    with opened_reading(output) as reading, naming(reading.datastore, "process", process):
        found = get_process(reading, process_named(process))
    if json:
        output.document(found)
    else:
        _show(output, found)


@cli.command()
def archive(
    context: typer.Context,
    process: ProcessArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Take a process out of use. It starts no execution from then on; executions under way continue."""
    from app.wiring import operator
    from commands.processes import ArchiveProcess

    command, cause = ArchiveProcess(process_named(process), reason), operator("cli:archive")
    _carry_out(
        output_of(context, json), process, lambda wiring: wiring.processes.archive(command, cause), dry_run,
        done="archived", already="archived already",
    )  # fmt: skip


@cli.command()
def restore(
    context: typer.Context,
    process: ProcessArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Take a process out of the archive, with its versions and its draft. It starts executions again."""
    from app.wiring import operator
    from commands.processes import RestoreProcess

    command, cause = RestoreProcess(process_named(process), reason), operator("cli:restore")
    _carry_out(
        output_of(context, json), process, lambda wiring: wiring.processes.restore(command, cause), dry_run,
        done="restored", already="is not in the archive",
    )  # fmt: skip


@cli.command()
def pause(
    context: typer.Context,
    process: ProcessArgument,
    reason: ReasonOption,
    mode: Annotated[str, typer.Option(help="What becomes of a start meanwhile: queue or refuse.")] = "queue",
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Let a process start nothing until it is resumed. Executions under way continue."""
    from app.wiring import operator
    from commands.process_pauses import PauseProcess

    [word] = known_words("--mode", [mode], ("queue", "refuse"))
    command, cause = PauseProcess(process_named(process), reason, word), operator("cli:pause")
    _carry_out(
        output_of(context, json), process, lambda wiring: wiring.process_pauses.pause(command, cause), dry_run,
        done="paused", already="paused already",
    )  # fmt: skip


@cli.command()
def resume(
    context: typer.Context,
    process: ProcessArgument,
    reason: ReasonOption,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Let a paused process start executions again. Executions that wait begin in order."""
    from app.wiring import operator
    from commands.process_pauses import ResumeProcess

    command, cause = ResumeProcess(process_named(process), reason), operator("cli:resume")
    _carry_out(
        output_of(context, json), process, lambda wiring: wiring.process_pauses.resume(command, cause), dry_run,
        done="resumed", already="is not paused",
    )  # fmt: skip


def _carry_out(
    output: CommandOutput,
    process: str,
    act: "Callable[[Wiring], Receipt]",
    dry_run: bool,
    *,
    done: str,
    already: str,
) -> None:
    from app.cli.carrying_out import carry_out

    carry_out(
        output, act, what=process, done=done, already=already, facts={}, dry_run=dry_run, needs_worker=False,
        process=process,
    )  # fmt: skip


def _row(process: ProcessSummary) -> tuple[object, ...]:
    last, draft = process.last_run, f"revision {process.revision}" if process.has_draft else ""
    ran = (None, None) if last is None else (moment(last.started_at), status(last.status))
    rate = "" if process.success_rate_30d is None else f"{process.success_rate_30d:.1%}"
    return process.name, status(process.status), process.version, draft, process.executions.started, rate, *ran


def _show(output: CommandOutput, process: ProcessDetail) -> None:
    output.line(f"{process.process_id}  {process.name}: {process.status}")
    if process.paused is not None:
        what = "starts wait" if process.paused.mode == "queue" else "starts are refused"
        output.line(f"paused since {moment(process.paused.since)}, {what}: {process.paused.reason}")
    if process.version is not None:
        output.line(f"published: version {process.version}, {moment(process.published_at)}")
    if process.slots is not None:
        per = "" if process.slots.per is None else f" per {process.slots.per}"
        output.line(f"at once: {process.slots.limit:,}{per}")
        for each in process.slots.lines:
            key = f" of {each.key}" if each.key else ""
            output.line(f"line{key}: {each.running:,} running, {each.waiting:,} waiting")
    if process.draft is not None:
        readable = "" if process.draft.definition is not None else ", with errors: `procession validate` says which"
        output.line(f"draft: revision {process.draft.revision}{readable}")
    if process.yaml is not None:
        which = "the draft" if process.draft is not None else f"version {process.version}"
        output.line(f"text of {which}:")
        for line in process.yaml.splitlines():
            output.line(f"  {line}")
