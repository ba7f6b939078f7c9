"""archive: move ended executions from the log to files; archive show: read one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from app.cli.failures import FAILED, USAGE, Failure
from app.cli.opening import opened
from app.cli.options import ExecutionArgument, JsonOption
from app.cli.output import CommandOutput, output_of
from app.cli.wording import moment, short
from edge.instants import parse_instant

if TYPE_CHECKING:
    from projections.archiving.running import ArchivePlan

cli = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

BeforeOption = Annotated[
    str | None,
    typer.Option("--ended-before", metavar="TIME", help="Trees of which every execution ended before, as 2026-01-31."),
]
ToOption = Annotated[Path | None, typer.Option("--to", metavar="DIR", help="The directory of the files.")]
FromOption = Annotated[Path, typer.Option("--from", metavar="DIR", help="The directory of the files.")]


@cli.callback()
def archive(
    context: typer.Context,
    ended_before: BeforeOption = None,
    to: ToOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Default: show what would leave; change nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Move executions that ended from the log to Parquet files; figures keep their part.

    Whole execution trees leave, in portions: each is written, read back and compared with the log before it is removed.
    A repetition after an interruption goes on. The owner of the tables runs this: the serving role deletes no events.
    """
    if context.invoked_subcommand is not None:
        return
    output = output_of(context, json)
    if ended_before is None or to is None:
        raise typer.BadParameter("--ended-before and --to are required; `archive show` reads an execution")
    before = _instant(ended_before)
    with opened(output) as wiring, _explained():
        from app.wiring import operator
        from projections.archiving.running import archive as carry_out
        from projections.archiving.running import plan
        from store.privileges import require_archiving

        if not yes:
            _write(output, plan(wiring.datastore, before), done=False)
            return
        with wiring.datastore.reading() as connection:
            require_archiving(connection)
        with output.busy("archiving"):
            found = carry_out(wiring.datastore, wiring.clock, before, to, operator("").actor, lambda _done: None)
    _write(output, found, done=True)


@cli.command()
def show(
    context: typer.Context,
    execution: ExecutionArgument,
    files: FromOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show an execution with its events from the files of the archive; needs no database."""
    from store.archive.manifest import find_manifest, require_whole
    from store.archive.parquet import read_events, read_results

    output = output_of(context, json)
    try:
        id = UUID(execution)
    except ValueError:
        raise typer.BadParameter("an execution goes by its id", param_hint="EXECUTION") from None
    with _explained():
        found = find_manifest(files, id)
        if found is None:
            raise Failure("not_found", f"no manifest in {files} has the execution {id}")
        path, manifest = found
        require_whole(path.parent, manifest)
        shown = next(each for each in manifest.executions if each.execution_id == id)
        events = [
            {"position": position, "version": version, "type": topic, "data": msgspec.Raw(state)}
            for position, _, version, topic, state in read_events(path.parent / manifest.file, id)
        ]
        results = (
            [{"sha256": digest.hex(), "content": msgspec.Raw(content)} for _, digest, content in stored]
            if manifest.results_file and (stored := list(read_results(path.parent / manifest.results_file, id)))
            else []
        )
    if json:
        output.document({"file": manifest.file, "execution": shown, "events": events, "results": results})
        return
    output.line(
        f"{shown.process} version {shown.version}, {shown.status} at {moment(shown.ended_at)}, in {manifest.file}"
    )
    rows = [(each["position"], each["version"], each["type"], short(each["data"], output.most)) for each in events]
    output.table(("position", "version", "type", "data"), rows, right=frozenset({"position", "version"}))
    for each in results:
        output.line(f"result {each['sha256']}: {short(each['content'], output.most)}")


def _write(output: CommandOutput, found: "ArchivePlan", *, done: bool) -> None:
    document: dict[str, Any] = {"archived": done, **msgspec.structs.asdict(found)}
    verb = "left the log" if done else "would leave the log"
    lines = [
        f"{found.trees:,} trees with {found.executions:,} executions {verb}: "
        f"{found.events:,} events, {found.size:,} bytes"
    ]
    if done:
        lines += [f"{len(found.files):,} files, {found.file_bytes:,} bytes"] if found.files else []
        lines += [f"{name}: the tables that were not in use are dropped" for name in found.dropped]
    else:
        lines.append("nothing is changed; --yes carries it out")
    lines += [f"{count:,} trees stay: {_STAY[reason]}" for reason, count in found.stay.items()]
    output.answer(document, *lines)


_STAY = {
    "not_ended": "one of their executions has not ended before that time",
    "not_processed": "a read model or a policy has not read all of their events",
    "work_remains": "a step, timer, message or an execution that is set aside waits",
    "dead_letters": "a read model could not process an event (`procession projections dead-letters`)",
    "inbox_entries": "inboxes of agents still have entries of them",
    "newest_of_process": "they hold the newest execution of a process, which leaves after the older ones",
    "changed_meanwhile": "something was recorded about them meanwhile",
}


@contextmanager
def _explained() -> Iterator[None]:
    from projections.archiving.portions import ReadModelsBusy
    from projections.archiving.running import ReadModelsBehind
    from store.archive.manifest import ArchiveDamaged
    from store.archive.parquet import ParquetMissing

    try:
        yield
    except ParquetMissing as error:
        raise Failure("parquet_missing", str(error), exit_code=USAGE) from error
    except ArchiveDamaged as error:
        raise Failure("archive_damaged", str(error)) from error
    except (ReadModelsBehind, ReadModelsBusy) as error:
        raise Failure("read_models_busy", str(error), exit_code=FAILED) from error
    except OSError as error:
        raise Failure("files_unwritable", f"{error.filename}: {error.strerror}") from error


def _instant(text: str) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ended-before") from None
