"""up, serve, work: the processes that run until a signal ends them."""

import logging
from contextlib import ExitStack
from typing import Annotated

import typer

from app.cli.failures import Failure
from app.cli.opening import opened
from app.cli.options import Drain, HoldSchedules, Host, JsonOption, LeaseOption, MaxOpen, Port
from app.cli.output import CommandOutput, output_of
from app.end_limit import ENDING_SECONDS
from app.process import collect_seldom
from app.roles_of_before import register_roles_of_before
from app.running import running
from app.schedules_of_before import adopt_installed_zone_data, register_upgraded_schedules
from app.settings import Settings, read_settings
from app.signals import EndedEarly, Stopping
from app.sockets import listen, refuse_open_door, url_of
from app.thresholds_of_before import register_thresholds_of_before
from domain.calendar.durations import print_duration

cli = typer.Typer()

logger = logging.getLogger(__name__)


@cli.command()
def up(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    lease: LeaseOption = None,
    max_open: MaxOpen = None,
    drain: Drain = None,
    hold_upgraded_schedules: HoldSchedules = False,
    json: JsonOption = False,
) -> None:
    """Run everything in one process: API, worker and projector. Ends on SIGTERM or Ctrl-C, after open calls."""
    settings = read_settings(host=host, port=port, lease=lease, max_open_calls=max_open, drain=drain)
    run(
        output_of(context, json),
        settings,
        api=True,
        worker=True,
        projector=True,
        hold_schedules=hold_upgraded_schedules,
    )


@cli.command()
def serve(context: typer.Context, host: Host = None, port: Port = None, json: JsonOption = False) -> None:
    """Run the API only; executions go on where `procession work` runs on the same database."""
    run(output_of(context, json), read_settings(host=host, port=port), api=True, worker=False, projector=False)


@cli.command()
def work(
    context: typer.Context,
    projector: Annotated[
        bool, typer.Option("--projector/--no-projector", help="Keep read models up to date, too.")
    ] = True,
    only_projector: Annotated[bool, typer.Option("--only-projector", help="Take no steps.")] = False,
    lease: LeaseOption = None,
    max_open: MaxOpen = None,
    drain: Drain = None,
    hold_upgraded_schedules: HoldSchedules = False,
    json: JsonOption = False,
) -> None:
    """Run a worker, and by default a projector. Any number of workers can share one database."""
    if only_projector and not projector:
        raise typer.BadParameter("excludes --no-projector", param_hint="--only-projector")
    settings = read_settings(lease=lease, max_open_calls=max_open, drain=drain)
    hold = hold_upgraded_schedules
    output = output_of(context, json)
    run(output, settings, api=False, worker=not only_projector, projector=projector, hold_schedules=hold)


def run(
    output: CommandOutput,
    settings: Settings,
    *,
    api: bool,
    worker: bool,
    projector: bool,
    hold_schedules: bool = False,
) -> None:
    """Run the requested roles until a signal. Raises Failure if one of them breaks.

    hold_schedules: register the schedules of versions that an earlier release published paused.
    """
    collect_seldom()
    stopping = Stopping()
    try:
        _run(output, settings, stopping, api=api, worker=worker, projector=projector, hold_schedules=hold_schedules)
    except EndedEarly:
        logger.info("%s: ended before it was ready", stopping.reason)
    if stopping.failed:
        raise Failure("broken", f"{stopping.reason}; see the log above")


def _run(
    output: CommandOutput,
    settings: Settings,
    stopping: Stopping,
    *,
    api: bool,
    worker: bool,
    projector: bool,
    hold_schedules: bool,
) -> None:
    limit = ENDING_SECONDS + (settings.drain.total_seconds() if worker else 0.0)
    role = "up" if api and worker else "serve" if api else "work" if worker else "projector"
    with ExitStack() as ending:
        bound = None
        if api:
            bound = ending.enter_context(listen(settings.host, settings.port))
        ending.enter_context(stopping.on_signals(limit))
        with stopping.starting():
            wiring = ending.enter_context(
                opened(output, settings, migrate=True, projecting=projector, log_level=logging.INFO, role=role)
            )
            if api:
                refuse_open_door(settings, keyed=bool(wiring.keys.ring().keys))
            if worker:
                register_upgraded_schedules(wiring, hold=hold_schedules)
                register_thresholds_of_before(wiring)
                register_roles_of_before(wiring)
                adopt_installed_zone_data(wiring)
        roles = ending.enter_context(running(wiring, settings, stopping))
        if projector:
            roles.start_projector()
        if worker:
            roles.start_worker(url_of(bound) if bound else None)
        ready = _ready(roles.start_api(bound) if bound else None, worker, projector)
        output.answer(ready, str(ready["message"]))
        output.flush()
        stopping.wait()
        logger.info("%s: ending, at most %s for open calls", stopping.reason, print_duration(settings.drain))


def _ready(url: str | None, worker: bool, projector: bool) -> dict[str, object]:
    names = [name for name, runs in (("API", url), ("worker", worker), ("projector", projector)) if runs]
    message = f"{', '.join(names)} ready"
    if url:
        message += f": the overview at {url}, the API at {url}/docs"
    return {"ready": True, "url": url, "message": message}
