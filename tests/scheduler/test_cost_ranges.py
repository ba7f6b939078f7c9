"""Given rows of the ledger, then any split into ranges raises what the costs raise one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.crossing import AlertScope, Crossed, Fallen, RuleOfProcess, SpentCost, cross, reached, scope_of
from domain.alerts.events import CostAlertRaised, ThresholdLevel
from domain.alerts.thresholds import CostRule
from domain.alerts.windows import PER_EXECUTION, WINDOWED, window_of
from domain.event import Cause
from domain.identity import process_id
from projections.cost_ledger import LEDGER, RULES, LedgerRow, RuleRow
from scheduler.alert_decisions import AlertWork, decide_alerts
from scheduler.following_costs import FollowingCosts
from store.reading import connect

PROCESSES = process_id("one"), process_id("two")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
CAUSE = Cause(NOON, "system:alerts")
RUNS = [[UUID(int=10 * process + n + 1) for n in range(3)] for process in range(2)]
LEVELS = "1", "3", "10"
KINDS = [(process, kind) for process in PROCESSES for kind in (PER_EXECUTION, *WINDOWED)]
Raised = tuple[UUID, str, Decimal, UUID | None, int]
"""(process, kind, amount, execution, position of the crossing)"""


class Spending(NamedTuple):
    """A cost: of which process and run, how much, how many hours after noon, and whether it is a correction."""

    process: int
    run: int
    amount: Decimal
    hours: int
    outermost: bool
    correction: bool


SPENDINGS = st.builds(
    Spending,
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(1, 12).map(lambda n: Decimal(n) / 4),
    # Mostly the first day, and sometimes the day before or after.
    st.sampled_from([0, 0, 0, 0, 0, 1, 2, -13, 13]),
    st.sampled_from([True, True, False]),
    st.sampled_from([False] * 9 + [True]),
).map(lambda each: each._replace(amount=-each.amount) if each.correction else each)


@settings(max_examples=60, deadline=None)
@given(
    spent=st.lists(SPENDINGS, min_size=1, max_size=25),
    cuts=st.sets(st.integers(8, 40)),
    from_noon=st.booleans(),
    changed=st.none() | st.integers(0, 25),
)
def test_any_split_into_ranges_raises_what_single_costs_raise(
    read_tables: Any, spent: list[Spending], cuts: set[int], from_noon: bool, changed: int | None
) -> None:
    # given thresholds of each kind, costs in the ledger, and perhaps a threshold that is set anew between two of them
    counts_from = NOON if from_noon else None
    set_at_first = [_rule(n + 1, process, kind, counts_from) for n, (process, kind) in enumerate(KINDS)]
    happened: list[tuple[int, RuleOfProcess] | SpentCost] = [(n + 1, of) for n, of in enumerate(set_at_first)]
    for n, each in enumerate(spent):
        if n == changed:
            happened.append((len(happened) + 1, _rule(7, PROCESSES[0], "daily", None)))
        happened.append(_cost(len(happened) + 1, each))
    with connect(read_tables) as connection, connection.transaction(force_rollback=True):
        LEDGER.write(connection, [_ledger_row(each) for each in happened if isinstance(each, SpentCost)])
        RULES.write(connection, [_rule_row(*each) for each in happened if not isinstance(each, SpentCost)])
        expected = _one_by_one(happened)

        # when the ledger is followed in one range, and in several
        end = len(happened)
        for ends in ([end], sorted({cut for cut in cuts if cut < end} | {end})):
            following, after = FollowingCosts(connection, len(KINDS)), len(KINDS)
            raised: set[Raised] = set()
            for until in ends:
                found, _ = following.follow(connection, after, until)
                raised |= {
                    (event.process_id, event.kind, event.amount, event.execution_id, event.crossing.position)
                    for unit in decide_alerts(connection, [AlertWork(*each) for each in found.items()], CAUSE)
                    for event in unit.events
                    if isinstance(event, CostAlertRaised)
                }
                after = until

            # then both raise what the costs raise one by one
            assert raised == expected, ends


def _one_by_one(happened: list[tuple[int, RuleOfProcess] | SpentCost]) -> set[Raised]:
    """Return what is raised by adding each cost to the totals of the thresholds in force, from all costs before it."""
    rules: dict[tuple[UUID, str], RuleOfProcess] = {}
    before: list[SpentCost] = []
    found: set[Raised] = set()
    for each in happened:
        if not isinstance(each, SpentCost):
            position, of = each
            rules[of.process_id, of.rule.kind] = of
            if position > len(KINDS):
                window = window_of(of.rule.kind, NOON, "UTC")
                found |= _raised(reached(of, window, _total(before, of, window), position, NOON))
            continue
        for (process, _), of in rules.items():
            scope = scope_of(of.rule, each)
            if process == each.process_id and scope is not None:
                found |= _raised(cross(of, scope, _total(before, of, scope), each))
        before.append(each)
    return found


def _total(costs: list[SpentCost], of: RuleOfProcess, scope: AlertScope) -> Decimal:
    counted = [each for each in costs if each.process_id == of.process_id and scope_of(of.rule, each) == scope]
    return sum((each.amount for each in counted), Decimal(0))


def _raised(found: Sequence[Crossed | Fallen]) -> set[Raised]:
    return {
        (
            each.of.process_id,
            each.of.rule.kind,
            each.level.amount,
            each.scope if isinstance(each.scope, UUID) else None,
            each.crossing.position,
        )
        for each in found
        if isinstance(each, Crossed)
    }


def _rule(number: int, process: UUID, kind: str, counts_from: datetime | None) -> RuleOfProcess:
    levels = tuple(ThresholdLevel(Decimal(amount), "USD") for amount in LEVELS)
    return RuleOfProcess(process, "spender", CostRule(number, kind, levels, counts_from=counts_from))


def _cost(position: int, each: Spending) -> SpentCost:
    run, at = RUNS[each.process][each.run], NOON + timedelta(hours=each.hours)
    recorded_at = max(at, NOON)
    amount, process = each.amount, PROCESSES[each.process]
    return SpentCost(
        position, process, run, run, "work", at, recorded_at, amount, "USD", each.outermost, each.correction
    )


def _ledger_row(cost: SpentCost) -> LedgerRow:
    return LedgerRow(
        position=cost.position,
        run_id=cost.run_id.bytes,
        currency=cost.currency,
        process_id=cost.process_id.bytes,
        execution_id=cost.execution_id.bytes,
        process="spender",
        step=cost.step,
        at=cost.at,
        recorded_at=cost.recorded_at,
        amount=cost.amount,
        unpriced=0,
        outermost=int(cost.outermost),
        correction=int(cost.correction),
    )


def _rule_row(position: int, of: RuleOfProcess) -> RuleRow:
    return RuleRow(
        position=position,
        process_id=of.process_id.bytes,
        process=of.process,
        kind=of.rule.kind,
        rule=of.rule.rule,
        at=NOON,
        levels=msgspec.Raw(msgspec.json.encode(of.rule.levels)),
        counts_from=of.rule.counts_from,
    )
