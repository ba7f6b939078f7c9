"""demo: everything in one process, with example processes running."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from app.cli.failures import Failure
from app.cli.following import Following
from app.cli.lists import NUMBERS
from app.cli.opening import opened
from app.cli.options import Host, JsonOption, Port
from app.cli.output import CommandOutput, output_of
from app.cli.wording import amounts, seconds, status
from app.demo.examples import find_examples
from app.demo.running import Prepared, follow, leave_open, prepare, start_all, summaries
from app.end_limit import ENDING_SECONDS
from app.running import running
from app.settings import Settings, read_settings
from app.signals import AT_ONCE, EndedEarly, Stopping
from app.sockets import listen_on_next_free, refuse_open_door
from app.wiring import Wiring
from queries.execution_list import ExecutionSummary

cli = typer.Typer()

PATIENCE_SECONDS = 120.0


@cli.command()
def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the table instead of staying up.")] = False,
    examples: Annotated[Path | None, typer.Option(help="A folder of processes, inputs and agents/.")] = None,
    host: Host = None,
    port: Port = None,
    json: JsonOption = False,
) -> None:
    """Start everything in one process, run the example processes, show them, and stay up until Ctrl-C."""
    output = output_of(context, json)
    settings = read_settings(host=host, port=port)
    folder = find_examples(examples)
    refuse_open_door(settings)
    stopping = Stopping()
    with ExitStack() as ending:
        bound = ending.enter_context(listen_on_next_free(settings.host, settings.port))
        ending.enter_context(stopping.on_signals(settings.drain.total_seconds() + ENDING_SECONDS))
        try:
            with stopping.starting():
                wiring = ending.enter_context(
                    opened(output, settings, migrate=True, projecting=True, log_level=logging.WARNING)
                )
        except EndedEarly:
            raise typer.Exit(AT_ONCE) from None
        roles = ending.enter_context(running(wiring, settings, stopping))
        roles.start_projector()
        url = roles.start_api(bound)
        roles.start_worker(url)
        _note_port(output, settings, bound.getsockname()[1])
        prepared = prepare(wiring, folder)
        _note_prepared(output, prepared)
        if not once:
            leave_open(wiring, folder)
        found = _run(output, wiring, prepared, stopping)
        if found is not None:
            _show(output, url, found)
            output.flush()
        if not once and found is not None:
            output.note("Ctrl-C ends it")
            stopping.wait()
    if stopping.failed:
        raise Failure("broken", f"{stopping.reason}; see the log above")
    if found is None:
        raise typer.Exit(AT_ONCE)


def _run(
    output: CommandOutput, wiring: Wiring, prepared: Prepared, stopping: Stopping
) -> list[ExecutionSummary] | None:
    """Run the examples to their end; return None if a signal ends the process before that."""
    ids = start_all(wiring, prepared.runs)
    try:
        with Following(output) as following:
            if not follow(wiring, ids, stopping, following, PATIENCE_SECONDS):
                return None
    except TimeoutError as error:
        raise Failure("timeout", str(error)) from None
    return summaries(wiring, ids)


def _show(output: CommandOutput, url: str, found: Sequence[ExecutionSummary]) -> None:
    links = {
        "pages": f"{url}/",
        "api": f"{url}/docs",
        "execution": f"{url}/api/executions/{found[0].execution_id}" if found else None,
        "executions": f"{url}/api/executions",
        "stream": f"{url}/api/stream",
    }
    if output.json:
        output.document({"url": url, "links": links, "executions": list(found)})
        return
    output.line("")
    columns = ("process", "status", "steps", "duration", "tokens", "cost", "error")
    output.table(columns, [_row(each) for each in found], right=NUMBERS)
    output.line("")
    for name, words in (
        ("pages", "the overview"),
        ("api", "the API"),
        ("execution", "an execution"),
        ("stream", "the event stream"),
    ):
        output.line(f"{words + ':':17} {links[name]}")


def _row(execution: ExecutionSummary) -> tuple[object, ...]:
    error = execution.error
    return (
        execution.process,
        status(execution.status),
        f"{execution.steps_done}/{execution.steps}",
        seconds(execution.duration),
        f"{execution.input_tokens + execution.output_tokens:,}",
        amounts(execution.cost),
        f"{error.code}: {error.message}" if error else "",
    )


def _note_port(output: CommandOutput, settings: Settings, port: int) -> None:
    if settings.port not in (0, port):
        output.note(f"port {settings.port} is taken by another program; using {port}")


def _note_prepared(output: CommandOutput, prepared: Prepared) -> None:
    agents = f"{prepared.agents} agents ({prepared.new_agents} new)"
    output.note(f"{agents}, {prepared.processes} processes ({prepared.new_versions} new versions)")
