"""Which sums of a range join the totals of thresholds at once, and which costs the policy of alerts reads singly."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

import msgspec

from domain.alerts.crossing import AlertScope, RuleOfProcess, may_cross
from domain.alerts.windows import PER_EXECUTION, WINDOWED, window_of
from projections.cost_ranges import RangeSum
from scheduler.running_totals import RunningTotals, TotalKey, total_key

RuleKey = tuple[UUID, str]
"""(process, kind)"""


class NearLevels(msgspec.Struct, frozen=True):
    """The processes, and executions of other ones, of which each cost of the range counts by itself."""

    processes: frozenset[UUID] = frozenset()
    runs: frozenset[UUID] = frozenset()


class SummedTotal(msgspec.Struct, frozen=True, gc=False):
    """The sum that a range adds to one total."""

    of: RuleOfProcess
    scope: AlertScope
    key: TotalKey
    amount: Decimal


class SummedTotals(msgspec.Struct, frozen=True):
    """The sums that a range adds to totals, but for the processes whose costs are read singly."""

    totals: list[SummedTotal]
    singly: set[UUID]

    def add_to(self, totals: RunningTotals) -> NearLevels:
        """Add what takes no total to a level, and return where a level is near."""
        processes, runs, small = set(self.singly), set[UUID](), list[SummedTotal]()
        for each in self.totals:
            if not may_cross(each.of, totals[each.key], each.amount):
                small.append(each)
            elif isinstance(each.scope, UUID):
                runs.add(each.scope)
            else:
                processes.add(each.of.process_id)
        for each in small:
            if each.of.process_id not in processes:
                totals.add(each.key, each.amount)
        return NearLevels(frozenset(processes), frozenset(runs))


def summed(rules: Mapping[RuleKey, RuleOfProcess], sums: Iterable[RangeSum]) -> SummedTotals:
    """Return the sums by total. A process with a correction, or with calls of several windows, is read singly."""
    found: list[SummedTotal] = []
    singly: set[UUID] = set()
    for each in sums:
        kinds = WINDOWED if each.run_id is None else (PER_EXECUTION,)
        for of in [rules[each.process_id, kind] for kind in kinds if (each.process_id, kind) in rules]:
            if of.currency != each.currency:
                continue
            scope = None if _is_single(of, each) else _scope(of, each)
            if scope is None:
                singly.add(each.process_id)
            else:
                found.append(SummedTotal(of, scope, total_key(of, scope), each.amount))
    return SummedTotals([each for each in found if each.of.process_id not in singly], singly)


def _is_single(of: RuleOfProcess, sum: RangeSum) -> bool:
    return sum.corrected or (of.rule.counts_from is not None and sum.begin < of.rule.counts_from)


def _scope(of: RuleOfProcess, sum: RangeSum) -> AlertScope | None:
    if sum.run_id is not None:
        return sum.run_id
    begin, end = (window_of(of.rule.kind, at, of.rule.timezone, of.rule.week_starts) for at in (sum.begin, sum.end))
    return begin if begin == end else None
