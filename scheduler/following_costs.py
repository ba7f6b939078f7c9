"""The policy of cost alerts: what a range of the ledger raises and resolves, decided on the state in the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.alerts.alert import CostAlert, fold
from domain.alerts.crossing import (
    AlertScope,
    Crossed,
    Fallen,
    RuleOfProcess,
    SpentCost,
    cross,
    reached,
    scope_of,
)
from domain.alerts.decisions import CORRECTION, raise_alert, resolve_alert
from domain.alerts.thresholds import alert_levels
from domain.alerts.windows import PER_EXECUTION, WINDOWED, window_of
from domain.event import Cause, Event
from projections.cost_ranges import costs_between, sums_between
from projections.cost_totals import (
    RuleChange,
    contributors_before,
    rule_changes,
    rules_in_force,
    running_totals,
    unpriced_before,
)
from scheduler.range_sums import NearLevels, RuleKey, summed
from scheduler.running_totals import RunningTotals, TotalKey, total_key
from store import arrays
from store.mapper import decode
from store.unit import Unit

ACTOR = "system:alerts"
_STREAMS = """select originator_id, topic, state from stored_events where originator_id = any(%b)
order by originator_id, originator_version"""


class _Step(msgspec.Struct, frozen=True):
    """One cost that counts for one total, or, without a cost, a threshold that is set."""

    of: RuleOfProcess
    scope: AlertScope
    position: int
    at: datetime
    cost: SpentCost | None = None

    @property
    def key(self) -> TotalKey:
        """The total."""
        return total_key(self.of, self.scope)


class FollowingCosts:
    """Rules and totals as of one position; the owner forgets them when a transaction does not succeed."""

    def __init__(self, connection: Connection[Any], position: int) -> None:
        self._rules: dict[RuleKey, RuleOfProcess] = {
            (each.of.process_id, each.of.rule.kind): each.of for each in rules_in_force(connection, position)
        }
        self._totals = RunningTotals()

    def follow(self, connection: Connection[Any], after: int, until: int, cause: Cause) -> tuple[list[Unit], bool]:
        """Return what the costs and thresholds of a range raise and resolve, and whether thresholds changed."""
        changes = rule_changes(connection, after, until)
        singly = {each.of.process_id for each in changes}
        near = self._advance(connection, after, until, singly) if self._rules else NearLevels()
        singly |= near.processes
        costs = costs_between(connection, after, until, singly, near.runs) if singly or near.runs else []
        found = self._walk(connection, self._steps(connection, changes, costs, singly))
        self._totals.shrink()
        return self._decide(connection, found, cause), bool(changes)

    def _advance(self, connection: Connection[Any], after: int, until: int, singly: set[UUID]) -> NearLevels:
        """Add the sums of a range to the totals, and return those of which each cost counts by itself."""
        processes = {id for id, _ in self._rules} - singly
        with_runs = {id for id, kind in self._rules if kind == PER_EXECUTION} - singly
        if not processes:
            return NearLevels()
        sums = summed(self._rules, sums_between(connection, after, until, processes, with_runs))
        self._totals.read(connection, ((each.key, after + 1) for each in sums.totals))
        return sums.add_to(self._totals)

    def _steps(
        self,
        connection: Connection[Any],
        changes: Sequence[RuleChange],
        costs: Sequence[SpentCost],
        singly: set[UUID],
    ) -> list[_Step]:
        steps: list[_Step] = []
        in_order: list[RuleChange | SpentCost] = sorted([*changes, *costs], key=lambda each: each.position)
        for each in in_order:
            if isinstance(each, RuleChange):
                steps += self._change(connection, each)
                continue
            for kind in (PER_EXECUTION, *WINDOWED) if each.process_id in singly else (PER_EXECUTION,):
                of = self._rules.get((each.process_id, kind))
                scope = None if of is None else scope_of(of.rule, each)
                if of is not None and scope is not None:
                    steps.append(_Step(of, scope, each.position, each.recorded_at, each))
        return steps

    def _change(self, connection: Connection[Any], change: RuleChange) -> list[_Step]:
        of = change.of
        key = (of.process_id, of.rule.kind)
        if change.cleared:
            self._rules.pop(key, None)
            return []
        self._rules[key] = of
        if of.rule.counts_from is not None and of.rule.counts_from >= change.at:
            return []
        if of.rule.kind != PER_EXECUTION:
            window = window_of(of.rule.kind, change.at, of.rule.timezone, of.rule.week_starts)
            return [_Step(of, window, change.position, change.at)]
        lowest = alert_levels(of.rule)[0].amount
        found = running_totals(connection, of, lowest, change.position)
        return [_Step(of, run, change.position, change.at) for run, _ in found]

    def _walk(self, connection: Connection[Any], steps: Sequence[_Step]) -> list[Crossed | Fallen]:
        self._totals.read(connection, ((step.key, step.position) for step in steps))
        found: list[Crossed | Fallen] = []
        for step in steps:
            before = self._totals[step.key]
            if step.cost is None:
                found += reached(step.of, step.scope, before, step.position, step.at)
            else:
                found += cross(step.of, step.scope, before, step.cost)
                self._totals.add(step.key, step.cost.amount)
        return found

    def _decide(self, connection: Connection[Any], found: Sequence[Crossed | Fallen], cause: Cause) -> list[Unit]:
        alerts = read_alerts(connection, [each.alert_id for each in found])
        events: dict[UUID, list[Event]] = {}
        explained = _explained(connection, [each for each in found if isinstance(each, Crossed)])
        for each in found:
            new = events.setdefault(each.alert_id, [])
            alert = fold([*_past(alerts, each.alert_id), *new])
            if isinstance(each, Crossed):
                position = each.crossing.position
                new += raise_alert(alert, explained[id(each)], Cause(cause.at, cause.actor, f"position:{position}"))
            elif alert is not None:
                new += resolve_alert(alert, CORRECTION, cause)
        return [Unit(id, len(_past(alerts, id)), new) for id, new in events.items() if new]


def read_alerts(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, list[Event]]:
    """Return the events of alerts; leave out those that were never raised."""
    found: dict[UUID, list[Event]] = {}
    if ids:
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            for id, topic, state in cursor.execute(_STREAMS, (arrays.uuids(ids),), prepare=True):
                found.setdefault(UUID(bytes=id), []).append(decode(topic, state))
    return found


def resolutions(connection: Connection[Any], ids: Sequence[tuple[bytes, str]], cause: Cause) -> list[Unit]:
    """Return the ends of alerts. ids: each with its reason."""
    alerts = read_alerts(connection, [UUID(bytes=id) for id, _ in ids])
    units: list[Unit] = []
    for raw, reason in ids:
        id = UUID(bytes=raw)
        alert: CostAlert | None = fold(_past(alerts, id))
        new = [] if alert is None else resolve_alert(alert, reason, cause)
        if new:
            units.append(Unit(id, len(alerts[id]), new))
    return units


def _explained(connection: Connection[Any], crossed: Sequence[Crossed]) -> dict[int, Crossed]:
    totals = [(each.total, each.crossing.position + (each.crossing.execution_id is not None)) for each in crossed]
    contributors = contributors_before(connection, totals)
    unpriced = unpriced_before(connection, totals)
    return {
        id(each): msgspec.structs.replace(each, contributors=of, unpriced=n)
        for each, of, n in zip(crossed, contributors, unpriced, strict=True)
    }


def _past(alerts: dict[UUID, list[Event]], id: UUID) -> list[Event]:
    return alerts.get(id, [])
