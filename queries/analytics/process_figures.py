"""Figures by process, and by version of one process."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from domain.analytics.windows import AnalyticsWindow
from domain.refusal import ProcessNotFound
from queries.analytics.definition_texts import TEXTS
from queries.analytics.figures import (
    FailureReason,
    ProcessAnswer,
    ProcessesAnswer,
    ProcessFigures,
    RunFigures,
    VersionFigures,
)
from queries.analytics.links import LinkedExecutions
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import FiguresSource, RollupSums, rollups
from queries.analytics.run_figures import PeriodTotals, figures_of
from queries.execution_conditions import NO_STEP

MOST_REASONS = 20
MOST_PROCESSES = 500
BY_VERSION = "r.process_id, r.version"


def summarise_processes(
    source: FiguresSource, request: FiguresRequest, *, min_position: int | None = None
) -> ProcessesAnswer:
    """Return the figures of each process with any, and of all together. Raises NotYet."""
    window = request.window
    with rollups(source, request.filter, min_position) as (found, freshness):
        rows = _read(found, window, "r.process_id")
        running, reasons = found.running(), _reasons(found, window, request.links(window))
        archived = _archived(found, window, "process_id")
        of_process: defaultdict[UUID, int] = defaultdict(int)
        for row in running:
            of_process[row["process_id"]] += row["running"]
        ids = {row["process_id"] for each in rows for row in each} | of_process.keys()
        names = found.names(sorted(ids))
    links = request.links(window)
    items = []
    by_process = [_grouped(each, "process_id") for each in rows]
    ended: defaultdict[UUID, int] = defaultdict(int)
    for row in rows[0]:
        ended[row["process_id"]] += row["completed"] + row["failed"] + row["cancelled"]
    most = sorted(ids, key=lambda id: (-ended[id], id))[:MOST_PROCESSES]
    for id in sorted(most, key=lambda id: names.get(id, "")):
        totals = PeriodTotals().add(*(each.get(id, []) for each in by_process))
        figures = figures_of(totals, of_process[id], links.of_process(str(id)), archived[id])
        items.append(ProcessFigures(process_id=id, process=names.get(id, str(id)), **figures))
    whole = figures_of(PeriodTotals().add(*rows), sum(of_process.values()), links, archived.total())
    return ProcessesAnswer(
        items=items,
        total=RunFigures(**whole),
        failures=reasons,
        truncated=len(ids) > MOST_PROCESSES,
        archived=archived.total(),
        window=request.shown(window),
        definitions=TEXTS,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def summarise_process(
    source: FiguresSource, request: FiguresRequest, *, min_position: int | None = None
) -> ProcessAnswer:
    """Return the figures of the one process of the filter, and of each version with any. Raises NotFound or NotYet."""
    window, (process_id,) = request.window, request.filter.process_ids
    with rollups(source, request.filter, min_position) as (found, freshness):
        names = found.names([process_id])
        if process_id not in names:
            raise ProcessNotFound("there is no such process")
        rows = _read(found, window, BY_VERSION)
        links = request.links(window)
        running = {row["version"]: row["running"] for row in found.running()}
        reasons = _reasons(found, window, links)
        archived = _archived(found, window, "version")
    versions = {row["version"] for each in rows for row in each} | running.keys()
    by_version = [_grouped(each, "version") for each in rows]
    items = []
    for version in sorted(versions, reverse=True):
        totals = PeriodTotals().add(*(each.get(version, []) for each in by_version))
        figures = figures_of(totals, running.get(version, 0), links.of_version(version), archived[version])
        items.append(VersionFigures(version=version, **figures))
    whole = figures_of(PeriodTotals().add(*rows), sum(running.values()), links, archived.total())
    return ProcessAnswer(
        process_id=process_id,
        process=names[process_id],
        items=items,
        total=RunFigures(**whole),
        failures=reasons,
        archived=archived.total(),
        window=request.shown(window),
        definitions=TEXTS,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _read(found: RollupSums, window: AnalyticsWindow, by: str) -> tuple[list[DictRow], list[DictRow], list[DictRow]]:
    bounds: Sequence[datetime] = (window.begin_before, window.begin, window.today, window.end)
    return found.runs(bounds, by), found.run_costs(bounds, by), found.spending(bounds, by)


def _archived(found: RollupSums, window: AnalyticsWindow, by: str) -> Counter[Any]:
    """Return how many of the executions that ended in the window are archived, by the column `by`."""
    return Counter({row[by]: row["archived"] for row in found.archived((window.begin, window.end), by)})


def _grouped(rows: list[DictRow], key: str) -> dict[object, list[DictRow]]:
    groups: dict[object, list[DictRow]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


def _reasons(found: RollupSums, window: AnalyticsWindow, links: LinkedExecutions) -> list[FailureReason]:
    rows = sorted(found.failures((window.begin, window.end)), key=lambda row: (-row["n"], row["code"], row["step"]))
    whole = sum(row["n"] for row in rows)
    return [
        FailureReason(
            row["code"],
            row["step"] or None,
            row["n"],
            row["n"] / whole,
            {"count": links.ended(status="failed", failure=row["code"], failed_step=row["step"] or NO_STEP)},
        )
        for row in rows[:MOST_REASONS]
        if row["n"]
    ]
