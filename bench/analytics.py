"""Analytics over many executions (W7): the time of each answer for a week, a month and a year.

The rollups are filled in bulk: measures of executions are made here, without events, and contribute to the rollups
through the code of the projection, a day at a time.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from random import Random
from statistics import median, quantiles

from bench.engine import PROJECTOR
from bench.rig import CAUSE, Rig, children
from commands.processes import DraftProcess, PublishProcess
from domain.analytics.grains import GRAINS, begin_of
from domain.analytics.measures import QUEUE, WORKING, ExecutionMeasure, StepMeasure
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED
from domain.identity import process_id
from domain.money import Money
from projections.analytics.contributing import TREE, Rollups, key_of
from projections.analytics.rows import TABLES
from projections.analytics.spending import SpendingRollups
from projections.origins import Origin
from queries.analytics.process_figures import summarise_process, summarise_processes
from queries.analytics.requests import FiguresFilter, FiguresRequest
from queries.analytics.step_figures import MOST_EXPENSIVE, SLOWEST, summarise_steps
from queries.analytics.trend_figures import summarise_trends

NAMES = [f"bench-analytics-{n}" for n in range(5)]
SOURCE = "name: {name}\nsteps: [{{id: s0, agent: noop, message: x}}]\n"
STEPS = [f"s{n}" for n in range(5)]
SPAN = 2 * 366 + 1
"""Days with executions: the longest window, today, and the period before."""
DAYS = (7, 30, 366)
ZONES = ("Europe/Berlin", "Asia/Kathmandu")
A_DAY = timedelta(days=1)
LAST_DAY = datetime(2026, 11, 1, tzinfo=UTC)
NOW = LAST_DAY + A_DAY / 2


def analytics(rig: Rig, executions: int, requests: int) -> dict[str, float]:
    """Return p50 and p95 in ms of each answer and number of days, with `executions` of five steps in the rollups.

    cpu: ms of processor time in this process an answer, database_cpu: of PostgreSQL; other work changes them less.
    """
    for name in NAMES:
        rig.processes.draft(DraftProcess(SOURCE.format(name=name)), CAUSE)
        rig.processes.publish(PublishProcess(process_id(name)), CAUSE)
    with children(rig.dsn, [PROJECTOR]):
        rig.wait_projected()
    begun = time.perf_counter()
    fill(rig, executions)
    found = {"fill_s": time.perf_counter() - begun}
    for days in DAYS:
        for name, answer in _answers(rig).items():
            for zone in ZONES:
                _timed(answer, days, zone)
            database, cpu = sum(rig.server_cpu_seconds().values()), time.process_time()
            times = [_timed(answer, days, ZONES[n % len(ZONES)]) for n in range(requests)]
            label = f"{name}_{days}_days"
            found[f"{label}_p50_ms"], found[f"{label}_p95_ms"] = median(times), quantiles(times, n=20)[18]
            found[f"{label}_cpu_ms"] = (time.process_time() - cpu) / requests * 1e3
            found[f"{label}_database_cpu_ms"] = (sum(rig.server_cpu_seconds().values()) - database) / requests * 1e3
    return found


def fill(rig: Rig, executions: int) -> None:
    """Fill the rollups with executions that end within SPAN days, as many each day, around the clock."""
    random = Random(7)  # noqa: S311  no secret
    with rig.datastore.connect() as connection:
        for _, together in groupby(range(SPAN), lambda day: begin_of(LAST_DAY - day * A_DAY, GRAINS[-1])):
            rollups, spending = Rollups(), SpendingRollups()
            for day in together:
                number = executions * (day + 1) // SPAN - executions * day // SPAN
                for measure in _measures(random, LAST_DAY - day * A_DAY, number):
                    _add(measure, rollups, spending)
            with connection.transaction():
                rollups.load(connection)
                spending.append(connection)
        for table in TABLES:
            connection.execute(f"vacuum analyze {table.name}")


def _add(measure: ExecutionMeasure, rollups: Rollups, spending: SpendingRollups) -> None:
    """Add an execution that ended with its only call."""
    rollups.contribute(measure, 1)
    rollups.costs(key_of(measure), TREE, measure.outcome, measure.spent, 1)
    origin = Origin(measure.process_id, "", measure.version_of_process, b"", measure.trigger, None)
    for currency, amount in measure.spent.costs():
        spending.spend(measure.at, origin, origin, Money(amount, currency), 1)


def _measures(random: Random, day: datetime, executions: int) -> Iterator[ExecutionMeasure]:
    """Yield measures of executions that end within 24 hours from `day` on."""
    for n in range(executions):
        end = day + random.random() * A_DAY
        process = n % len(NAMES)
        trigger = "schedule" if process % 2 else "manual"
        yield _measure(random, process_id(NAMES[process]).bytes, 1 + (end.year > 2025), trigger, end)


def _measure(random: Random, process: bytes, version: int, trigger: str, end: datetime) -> ExecutionMeasure:
    worked = [timedelta(seconds=random.lognormvariate(1, 1)) for _ in STEPS]
    queued = timedelta(seconds=random.expovariate(2))
    begun = end - sum(worked, queued)
    measure = ExecutionMeasure(process, version, trigger, None, begun)
    measure.at = measure.ended_at = end
    measure.phases[WORKING], measure.phases[QUEUE] = end - begun - queued, queued
    chance = random.random()
    measure.outcome = COMPLETED if chance < 0.95 else FAILED if chance < 0.99 else CANCELLED
    if measure.outcome == FAILED:
        measure.error_code, measure.failed_step = ("step_timed_out" if chance < 0.96 else "agent_error"), STEPS[-1]
    for name, time_worked in zip(STEPS, worked, strict=True):
        step = measure.steps[name] = StepMeasure(begun)
        step.worked, step.tried, step.completed = time_worked, True, measure.outcome == COMPLETED
    cost = Money(Decimal(random.randrange(1, 90_000)).scaleb(-6), "USD")
    measure.spent.spend(cost)
    measure.step_spent(STEPS[0]).spend(cost)
    return measure


def _answers(rig: Rig) -> dict[str, Callable[[FiguresRequest], object]]:
    one = FiguresFilter(process_ids=(process_id(NAMES[0]),))

    def of_one(request: FiguresRequest) -> object:
        return summarise_process(rig.reading, FiguresRequest(request.now, request.days, request.timezone, one))

    return {
        "processes": lambda request: summarise_processes(rig.reading, request),
        "process": of_one,
        "trends": lambda request: summarise_trends(rig.reading, request),
        "steps": lambda request: summarise_steps(rig.reading, request, SLOWEST, "median"),
        "costs": lambda request: summarise_steps(rig.reading, request, MOST_EXPENSIVE, "total"),
    }


def _timed(answer: Callable[[FiguresRequest], object], days: int, zone: str) -> float:
    begun = time.perf_counter()
    answer(FiguresRequest(NOW, days, zone))
    return (time.perf_counter() - begun) * 1e3
