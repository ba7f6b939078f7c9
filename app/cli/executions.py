"""start, executions, show, diff: runs of processes."""

from datetime import datetime
from typing import Annotated

import typer

from app.cli.failures import FAILED, UNAVAILABLE, Failure
from app.cli.opening import opened
from app.cli.options import Cursor, Json, Limit
from app.cli.output import Output, output_of
from app.cli.showing import show_difference, show_events, show_execution, show_executions
from app.documents import inside, read_file
from app.inputs import read_input
from app.installation import live_workers
from app.waiting import Ended, wait_for_end
from app.wiring import Wiring, operator
from commands.executions import StartExecution
from commands.receipt import Receipt
from domain.calendar.durations import parse_duration
from edge.instants import parse_point
from edge.references import execution_named, process_named
from queries.differences import get_difference
from queries.events import Point, list_execution_events
from queries.executions import STATUSES, ExecutionFilter, get_execution, list_executions
from queries.folding import get_execution_as_of

cli = typer.Typer()

EVENTS_SHOWN = 200


@cli.command()
def start(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="NAME", help="The name, or the id, of a published process.")],
    fields: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="One field of the input; repeatable."),
    ] = None,
    input_json: Annotated[
        str | None,
        typer.Option("--input-json", metavar="FILE", help="The input as a JSON object; - is standard input."),
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Run this published version instead of the latest.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end. Exit code 1 unless it completes.")] = False,
    timeout: Annotated[
        str | None, typer.Option(help="With --wait: give up waiting after so long, as 30s or 5m.")
    ] = None,
    json: Json = False,
) -> None:
    """Start an execution of a process."""
    output = output_of(context, json)
    seconds = _seconds(timeout)
    document = None if input_json is None else read_file(input_json)
    with opened(output) as wiring:
        plan, _ = wiring.plans.startable(process_named(process), version)
        with inside(input_json):
            given = read_input(fields or [], document, plan.input_spec)
        receipt = wiring.executions.start(StartExecution(plan.process_id, given, version), operator("cli:start"))
        started = {**receipt.facts, "process": plan.name, "position": receipt.position}
        if not wait:
            output.answer(started, f"started {receipt.stream} of {plan.name}, version {receipt.facts['version']}")
            return
        ended = _wait(output, wiring, receipt, seconds)
    _tell_end(output, started, ended)


@cli.command()
def executions(
    context: typer.Context,
    process: Annotated[list[str] | None, typer.Option(help="Of this process; repeatable.")] = None,
    status: Annotated[list[str] | None, typer.Option(help=f"{', '.join(STATUSES)}; repeatable.")] = None,
    version: Annotated[list[int] | None, typer.Option(help="Of this version; repeatable.")] = None,
    trigger: Annotated[list[str] | None, typer.Option(help="Started by this type of trigger; repeatable.")] = None,
    parent: Annotated[
        list[str] | None, typer.Option(metavar="EXECUTION", help="Started by this execution; repeatable.")
    ] = None,
    root: Annotated[
        list[str] | None, typer.Option(metavar="EXECUTION", help="This execution and all below it; repeatable.")
    ] = None,
    include_children: Annotated[
        bool, typer.Option("--include-children", help="Also executions that others started.")
    ] = False,
    started_from: Annotated[str | None, typer.Option("--from", help="Started at this time or later; ISO 8601.")] = None,
    started_to: Annotated[str | None, typer.Option("--to", help="Started before this time; ISO 8601.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """List executions, the newest first. Several values of an option mean any of them.

    Those that other executions started are left out, unless asked for.
    """
    output = output_of(context, json)
    asked = ExecutionFilter(
        process_ids=[process_named(name) for name in process or []],
        versions=version or [],
        statuses=_known(status or []),
        triggers=trigger or [],
        parents=[execution_named(id) for id in parent or []],
        roots=[execution_named(id) for id in root or []],
        include_children=include_children,
        started_from=_time("--from", started_from),
        started_to=_time("--to", started_to),
    )
    with opened(output) as wiring:
        page = list_executions(wiring.reading, asked, cursor=cursor, limit=limit)
    show_executions(output, page)


@cli.command()
def show(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="POINT", help="As it was at this position of the log, or time.")
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Its events from the log instead.")] = False,
    cursor: Cursor = None,
    json: Json = False,
) -> None:
    """Show one execution with its steps, or its events."""
    output = output_of(context, json)
    execution_id = execution_named(execution)
    point = None if as_of is None else _point("--as-of", as_of)
    if events and point is not None:
        raise typer.BadParameter("events are those that the log has now", param_hint="--as-of")
    with opened(output) as wiring:
        if events:
            show_events(output, list_execution_events(wiring.reading, execution_id, cursor=cursor, limit=EVENTS_SHOWN))
        elif point is not None:
            show_execution(output, get_execution_as_of(wiring.reading, wiring.definitions, execution_id, point))
        else:
            show_execution(output, get_execution(wiring.reading, wiring.definitions, execution_id))


@cli.command()
def diff(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="The id of an execution.")],
    point_from: Annotated[str, typer.Argument(metavar="FROM", help="A position of the log, or a time.")],
    point_to: Annotated[str, typer.Argument(metavar="TO", help="Another one.")],
    json: Json = False,
) -> None:
    """Show what changed in one execution between two points."""
    output = output_of(context, json)
    execution_id = execution_named(execution)
    points = _point("FROM", point_from), _point("TO", point_to)
    with opened(output) as wiring:
        show_difference(output, get_difference(wiring.reading, wiring.definitions, execution_id, *points))


def _wait(output: Output, wiring: Wiring, receipt: Receipt, timeout: float | None) -> Ended:
    workers = live_workers(wiring.datastore)
    if workers == 0:
        output.note("no worker is running: the execution waits until `procession work` or `procession up` is started")
    with output.progress(f"execution {receipt.stream}") as progress:
        ended = wait_for_end(wiring.log, receipt.stream, timeout, progress)
    if ended is None and workers == 0 and live_workers(wiring.datastore) == 0:
        message = f"no worker is running; execution {receipt.stream} waits for one"
        raise Failure("no_worker", message, exit_code=UNAVAILABLE)
    if ended is None:
        raise Failure("timeout", f"execution {receipt.stream} has not ended in time; it goes on by itself")
    return ended


def _tell_end(output: Output, started: dict[str, object], ended: Ended) -> None:
    answer = {
        **started,
        "status": ended.status,
        "outputs": ended.outputs,
        "error": ended.error,
        "duration": ended.duration,
        "position": ended.position,
    }
    lines = [f"{ended.status} in {ended.duration:.3f} s: {started['execution_id']} of {started['process']}"]
    if ended.error is not None:
        where = f"step {ended.error['step']}: " if ended.error["step"] else ""
        lines.append(f"  {where}{ended.error['message']} [{ended.error['code']}]")
    output.answer(answer, *lines)
    if not output.json and ended.outputs:
        output.document(ended.outputs)
    if ended.status != "completed":
        raise typer.Exit(FAILED)


def _seconds(timeout: str | None) -> float | None:
    try:
        return None if timeout is None else parse_duration(timeout).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timeout") from None


def _time(option: str, text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time is written like 2026-01-31T09:00:00Z", param_hint=option) from None
    if at is not None and at.tzinfo is None:
        raise typer.BadParameter("a time says its offset, as in 2026-01-31T09:00:00Z", param_hint=option)
    return at


def _point(option: str, text: str) -> Point:
    try:
        return parse_point(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _known(statuses: list[str]) -> list[str]:
    for status in statuses:
        if status not in STATUSES:
            raise typer.BadParameter(f"{status!r} is none of {', '.join(STATUSES)}", param_hint="--status")
    return statuses
