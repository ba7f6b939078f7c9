"""The policy of cost alerts: the levels that a range of the ledger reaches and falls below."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

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
from domain.alerts.thresholds import alert_levels
from domain.alerts.windows import PER_EXECUTION, WINDOWED, window_of
from projections.cost_ranges import costs_between, sums_between
from projections.cost_totals import (
    RuleChange,
    rule_changes,
    rules_in_force,
    running_totals,
)
from scheduler.alerts_aside import FoundLevels
from scheduler.range_sums import NearLevels, RuleKey, summed
from scheduler.running_totals import RunningTotals, TotalKey, total_key

logger = logging.getLogger(__name__)


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
            (each.of.process_id, each.of.rule.kind): each.of
            for each in rules_in_force(connection, position)
            if _counts(each)
        }
        self._totals = RunningTotals()

    def follow(self, connection: Connection[Any], after: int, until: int) -> tuple[dict[UUID, FoundLevels], bool]:
        """Return what the costs and thresholds of a range do about each alert, and whether thresholds changed."""
        changes = rule_changes(connection, after, until)
        singly = {each.of.process_id for each in changes}
        near = self._advance(connection, after, until, singly) if self._rules else NearLevels()
        singly |= near.processes
        costs = costs_between(connection, after, until, singly, near.runs) if singly or near.runs else []
        found = self._walk(connection, self._steps(connection, changes, costs, singly))
        self._totals.shrink()
        by_alert: dict[UUID, FoundLevels] = {}
        for each in found:
            by_alert.setdefault(each.alert_id, []).append(each if isinstance(each, Crossed) else None)
        return by_alert, bool(changes)

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
        if change.cleared or not _counts(change):
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


def _counts(change: RuleChange) -> bool:
    """Return whether a threshold has levels and windows here: one in an unknown zone, for example, raises nothing."""
    rule = change.of.rule
    try:
        if rule.kind != PER_EXECUTION:
            window_of(rule.kind, change.at, rule.timezone, rule.week_starts)
        return bool(alert_levels(rule))
    except Exception:
        logger.exception("the %s threshold of %s raises no alert, the others do", rule.kind, change.of.process)
        return False
