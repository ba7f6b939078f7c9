"""start: begins an execution of a process, and waits for its end with --wait."""

from typing import Annotated

import typer

from app.cli.failures import FAILED, UNAVAILABLE, Failure
from app.cli.names import naming
from app.cli.opening import opened
from app.cli.options import JsonOption
from app.cli.output import CommandOutput, output_of
from app.documents import inside, read_file
from app.inputs import read_input
from app.installation import live_workers
from app.waiting import Ended, wait_for_end
from app.wiring import Wiring, operator
from commands.executions import StartExecution
from commands.receipt import Receipt
from domain.calendar.durations import parse_duration
from edge.references import process_named

cli = typer.Typer()


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
        str | None, typer.Option(help="With --wait: stop waiting after this time, as 30s or 5m.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Start an execution of a process."""
    output = output_of(context, json)
    seconds = _seconds(timeout)
    document = None if input_json is None else read_file(input_json)
    with opened(output) as wiring:
        with naming(wiring.datastore, "process", process):
            plan, _ = wiring.plans.startable(process_named(process), version)
        with inside(input_json):
            given = read_input(fields or [], document, plan.input_spec)
        receipt = wiring.executions.start(StartExecution(plan.process_id, given, version), operator("cli:start"))
        started = {**receipt.facts, "process": plan.name, "position": receipt.position}
        if not wait:
            output.answer(started, f"started {receipt.stream} of {plan.name}, version {receipt.facts['version']}")
            return
        ended = _wait(output, wiring, receipt, seconds)
    _write_end(output, started, ended)


def _wait(output: CommandOutput, wiring: Wiring, receipt: Receipt, timeout: float | None) -> Ended:
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


def _write_end(output: CommandOutput, started: dict[str, object], ended: Ended) -> None:
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
