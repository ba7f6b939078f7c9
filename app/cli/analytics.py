"""analytics processes, trends, steps: what works, what is slow, what is expensive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.executions.filters import VersionOption
from app.cli.failures import Failure
from app.cli.names import existing
from app.cli.opening import opened_reading
from app.cli.options import JsonOption, known_words
from app.cli.output import CommandOutput, output_of
from app.cli.wording import amounts, moment, seconds
from queries.reading import Reading

if TYPE_CHECKING:
    from queries.analytics.figures import (
        ProcessAnswer,
        ProcessesAnswer,
        RunFigures,
        StepFigures,
        StepsAnswer,
        TrendsAnswer,
    )
    from queries.analytics.requests import FiguresRequest

    RunsAnswer = ProcessesAnswer | ProcessAnswer

cli = typer.Typer(
    help="Success, durations and costs of executions, by process, day and step.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ORDERS = ("slowest", "most_expensive", "longest_waiting")
MEASURES = ("median", "p95", "total")
RUN_NUMBERS = ("ended", "completed", "failed", "cancelled", "running", "success", "median", "mean", "cost each")

DaysOption = Annotated[int, typer.Option(min=1, max=366, help="Complete days; today counts besides.")]
ZoneOption = Annotated[str, typer.Option(help="Its midnights begin days.")]
ProcessesOption = Annotated[list[str] | None, typer.Option("--process", help="Of this process; repeatable.")]
TriggersOption = Annotated[list[str] | None, typer.Option("--trigger", help="Started by this type; repeatable.")]
LabelsOption = Annotated[list[str] | None, typer.Option("--label", help="Of processes with this label; repeatable.")]
ChildrenOption = Annotated[bool, typer.Option("--include-children", help="Each called execution by itself, too.")]


@cli.command()
def processes(
    context: typer.Context,
    days: DaysOption = 30,
    timezone: ZoneOption = "UTC",
    process: ProcessesOption = None,
    version: VersionOption = None,
    trigger: TriggersOption = None,
    label: LabelsOption = None,
    include_children: ChildrenOption = False,
    json: JsonOption = False,
) -> None:
    """Show the figures of each process, and of all; of one process (--process), those of each version."""
    from queries.analytics.process_figures import summarise_process, summarise_processes

    output = output_of(context, json)
    with opened_reading(output) as reading:
        request = _request(reading, days, timezone, process, version, trigger, label, include_children)
        if len(request.filter.process_ids) == 1:
            of_one = summarise_process(reading, request)
            rows = [(f"version {each.version}", each) for each in of_one.items]
            _show_runs(output, of_one, [*rows, ("all", of_one.total)])
        else:
            found = summarise_processes(reading, request)
            _show_runs(output, found, [*((each.process, each) for each in found.items), ("all", found.total)])


@cli.command()
def trends(
    context: typer.Context,
    days: DaysOption = 30,
    timezone: ZoneOption = "UTC",
    process: ProcessesOption = None,
    version: VersionOption = None,
    trigger: TriggersOption = None,
    label: LabelsOption = None,
    include_children: ChildrenOption = False,
    json: JsonOption = False,
) -> None:
    """Show what ended on each day, and what its calls cost."""
    from queries.analytics.trend_figures import summarise_trends

    output = output_of(context, json)
    with opened_reading(output) as reading:
        request = _request(reading, days, timezone, process, version, trigger, label, include_children)
        found = summarise_trends(reading, request)
    if json:
        output.document(found)
        return
    columns = ("day", "completed", "failed", "timed out", "cancelled", "median", "cost")
    rows = [
        (
            f"{each.day}{' so far' if each.partial else ''}",
            each.completed,
            each.failed,
            each.timed_out,
            each.cancelled,
            seconds(each.duration_median),
            amounts(each.cost),
        )
        for each in found.items
    ]
    output.table(columns, rows, right=frozenset(columns[1:]))
    _note(output, found)


@cli.command()
def steps(
    context: typer.Context,
    days: DaysOption = 30,
    timezone: ZoneOption = "UTC",
    process: ProcessesOption = None,
    version: VersionOption = None,
    trigger: TriggersOption = None,
    label: LabelsOption = None,
    include_children: ChildrenOption = False,
    order: Annotated[str, typer.Option(help=", ".join(ORDERS))] = ORDERS[0],
    measure: Annotated[str, typer.Option(help=", ".join(MEASURES))] = MEASURES[0],
    json: JsonOption = False,
) -> None:
    """Show the slowest, the most expensive, or the longest waiting steps."""
    from queries.analytics.step_figures import summarise_steps

    output = output_of(context, json)
    known_words("--order", [order], ORDERS)
    known_words("--measure", [measure], MEASURES)
    with opened_reading(output) as reading:
        request = _request(reading, days, timezone, process, version, trigger, label, include_children)
        found = summarise_steps(reading, request, order, measure)
    if json:
        output.document(found)
        return
    columns = ("process", "step", "executions", "median", "p95", "total", "share")
    rows = [
        (each.process, each.step, each.n, *(_value(each, name) for name in MEASURES), f"{each.share:.1%}")
        for each in found.items
    ]
    output.table(columns, rows, right=frozenset(columns[2:]))
    if found.too_few:
        output.line(f"{len(found.too_few)} steps completed fewer than five times: --json lists them")
    _note(output, found)


def _request(
    reading: Reading,
    days: int,
    timezone: str,
    processes: list[str] | None,
    versions: list[int] | None,
    triggers: list[str] | None,
    labels: list[str] | None,
    include_children: bool,
) -> "FiguresRequest":
    from app.clock import SYSTEM_CLOCK
    from domain.calendar.zones import read_zone
    from queries.analytics.requests import FiguresFilter, FiguresRequest
    from queries.execution_list import TRIGGERS

    try:
        read_zone(timezone)
    except ValueError as error:
        raise Failure("refused", str(error)) from None
    filter = FiguresFilter(
        tuple(existing(reading.datastore, "process", processes or [])),
        tuple(versions or ()),
        tuple(known_words("--trigger", triggers, TRIGGERS)),
        tuple(labels or ()),
        include_children,
    )
    return FiguresRequest(SYSTEM_CLOCK.now(), days, timezone, filter)


def _show_runs(output: CommandOutput, answer: "RunsAnswer", named: "Sequence[tuple[str, RunFigures]]") -> None:
    if output.json:
        output.document(answer)
        return
    rows = [
        (
            name,
            each.ended,
            each.completed,
            each.failed,
            each.cancelled,
            each.running,
            "" if each.success_rate is None else f"{each.success_rate:.1%}",
            seconds(each.duration.median),
            seconds(each.duration.mean),
            ", ".join(f"{cost.mean} {cost.currency}" for cost in each.cost if cost.priced),
        )
        for name, each in named
    ]
    output.table(("of", *RUN_NUMBERS), rows, right=frozenset(RUN_NUMBERS))
    _note(output, answer)


def _value(step: "StepFigures", measure: str) -> str:
    value: float | None = getattr(step, measure)
    if step.currency is None:
        return seconds(value)
    return "" if value is None else f"{value:.6g} {step.currency}"


def _note(output: CommandOutput, answer: "RunsAnswer | TrendsAnswer | StepsAnswer") -> None:
    window = answer.window
    output.line(f"{moment(window.begin)} to {moment(window.end)}: {window.days} days and today in {window.timezone}")
    if answer.archived:
        output.line(f"{answer.archived:,} archived: the figures have them, the lists of executions do not")
