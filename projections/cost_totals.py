"""Reads of the ledger for the policy of alerts: rules, totals, and what a total went on."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.alerts.crossing import RuleOfProcess, TotalOf
from domain.alerts.events import AlertContributor, ThresholdLevel
from domain.alerts.thresholds import CostRule
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED
from store import arrays
from store.lists.alerts_aside import WAITING

MOST_CONTRIBUTORS = 5
MOST_RUNS = 500

_RULE = """select position, process_id, process, kind, rule, at, levels::text, timezone, week_starts, source, version,
  counts_from from cost_rules"""
_IN_FORCE = f"""select * from (select distinct on (process_id, kind) * from ({_RULE} where position <= %b) r
  order by process_id, kind, position desc) latest where levels is not null"""
_CHANGES = f"{_RULE} where position > %b and position <= %b order by position"
_KEYS = """unnest(%b, %b, %b, %b, %b, %b, %b)
  as k(n, process_id, currency, run_id, begins, ends, before)"""
# Two forms, so that each uses its index.
_OF_RUNS = f"""from {_KEYS} cross join lateral (
  select {{select}} from cost_ledger l where l.run_id = k.run_id and l.outermost = 1 and l.position < k.before
    and l.at >= coalesce(k.begins, '-infinity') {{currency}} {{more}}) found where k.run_id is not null"""
_OF_WINDOWS = f"""from {_KEYS} cross join lateral (
  select {{select}} from cost_ledger l where l.process_id = k.process_id and l.outermost = 1
    and l.at >= k.begins and l.at < k.ends and l.position < k.before
    and (l.correction = 0 or l.recorded_at < k.ends) {{currency}} {{more}}) found
where k.run_id is null"""
_IN_CURRENCY = "and l.currency = k.currency"
_RUNNING = """select l.run_id, sum(l.amount) from execution_list e join cost_ledger l on l.run_id = e.execution_id
where e.process_id = %b and e.body is null and e.status <> all(%b) and l.currency = %b and l.position < %b
  and l.at >= coalesce(%b, '-infinity'::timestamptz)
group by l.run_id having sum(l.amount) >= %b::numeric order by 1 limit %b"""
_STALE = f"""select s.alert_id, r.levels is null from standing_alerts s cross join lateral (
  select rule, levels from cost_rules r where r.process_id = s.process_id and r.kind = s.kind and r.position <= %b
  order by position desc limit 1) r
where (r.levels is null or r.rule <> s.rule) and not {WAITING} limit %b"""

_levels = msgspec.json.Decoder(tuple[ThresholdLevel, ...]).decode

Upto = tuple[TotalOf, int]
"""A total, and the position before which costs count."""


class RuleChange(msgspec.Struct, frozen=True):
    """A threshold that the event at `position` sets; without levels it clears the kind."""

    position: int
    at: datetime
    of: RuleOfProcess

    @property
    def cleared(self) -> bool:
        """Whether there is no threshold after it."""
        return not self.of.rule.levels


def rules_in_force(connection: Connection[Any], position: int) -> list[RuleChange]:
    """Return the threshold of each process and kind that is in force after `position`."""
    return [_change(row) for row in _fetch(connection, _IN_FORCE, position)]


def rule_changes(connection: Connection[Any], after: int, until: int) -> list[RuleChange]:
    """Return the thresholds that events of a range set or clear, in order."""
    return [_change(row) for row in _fetch(connection, _CHANGES, after, until)]


def totals_before(connection: Connection[Any], totals: Sequence[Upto]) -> list[Decimal]:
    """Return each total of the costs before its position."""
    found = [Decimal(0)] * len(totals)
    for n, amount in _both(connection, "found.amount", "coalesce(sum(l.amount), 0) as amount", totals):
        found[n] = amount
    return found


def unpriced_before(connection: Connection[Any], totals: Sequence[Upto]) -> list[int]:
    """Return how many of the costs of each total have no price; they are in no currency."""
    found = [0] * len(totals)
    for n, count in _both(connection, "found.n", "coalesce(sum(l.unpriced), 0) as n", totals, currency=""):
        found[n] = int(count)
    return found


def contributors_before(connection: Connection[Any], totals: Sequence[Upto]) -> list[tuple[AlertContributor, ...]]:
    """Return what each total went on, the costliest steps first."""
    found: list[list[AlertContributor]] = [[] for _ in totals]
    select = "l.process, l.step, sum(l.amount) as amount, count(*) filter (where l.correction = 0) as costs"
    more = f"group by l.process, l.step order by 3 desc, 1, 2 limit {MOST_CONTRIBUTORS}"
    columns = "found.process, found.step, found.amount, found.costs"
    for n, process, step, amount, costs in _both(connection, columns, select, totals, more=more):
        found[n].append(AlertContributor(process, step, amount, costs))
    return [tuple(each) for each in found]


def running_totals(
    connection: Connection[Any], of: RuleOfProcess, at_least: Decimal, before: int
) -> list[tuple[UUID, Decimal]]:
    """Return the executions of a process that have not ended and have cost so much, before a position."""
    ended = arrays.texts([COMPLETED, FAILED, CANCELLED])
    parameters = (of.process_id, ended, of.currency, before, of.rule.counts_from, str(at_least), MOST_RUNS)
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        query = _RUNNING.replace("%b", "%s").replace("<> all(%s)", "<> all(%b)")
        rows = cursor.execute(query, parameters).fetchall()
    return [(UUID(bytes=row[0]), row[1]) for row in rows]


def stale_alerts(connection: Connection[Any], position: int, now: datetime, most: int) -> list[tuple[bytes, bool]]:
    """Return standing alerts whose rule is not in force any more, and whether no other one took its place.

    Leave out those that wait set aside.
    """
    return [(row[0], row[1]) for row in _fetch(connection, _STALE, position, now, most)]


def _both(
    connection: Connection[Any],
    columns: str,
    select: str,
    totals: Sequence[Upto],
    *,
    currency: str = _IN_CURRENCY,
    more: str = "",
) -> list[TupleRow]:
    if not totals:
        return []
    keys = (
        arrays.ints(list(range(len(totals)))),
        arrays.uuids([total.process_id for total, _ in totals]),
        arrays.texts([total.currency for total, _ in totals]),
        arrays.uuids([total.run_id for total, _ in totals]),
        arrays.timestamptzs([total.begin for total, _ in totals]),
        arrays.timestamptzs([total.end for total, _ in totals]),
        arrays.bigints([before for _, before in totals]),
    )
    rows: list[TupleRow] = []
    for form in (_OF_RUNS, _OF_WINDOWS):
        rows += _fetch(
            connection, f"select k.n, {columns} " + form.format(select=select, currency=currency, more=more), *keys
        )
    return rows


def _change(row: TupleRow) -> RuleChange:
    position, process_id, process, kind, rule, at, levels, timezone, week_starts, source, version, counts_from = row
    found = () if levels is None else _levels(levels)
    terms = CostRule(rule, kind, found, timezone, week_starts, source, version, counts_from)
    return RuleChange(position, at, RuleOfProcess(UUID(bytes=process_id), process, terms))


def _fetch(connection: Connection[Any], query: str, *parameters: object) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()
