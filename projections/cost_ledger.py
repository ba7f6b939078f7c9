"""The ledger of costs: a row a cost and execution for which it counts; and the thresholds, a row a change of one.

The sums of days, weeks, limits and estimates rest on it. The projection `costs` holds what no sum has: the model, the
tokens and the flags of a call, in one row that changes with its corrections.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.money import Money, add
from projections.facts import Fact
from projections.kept_tables import KeptTable
from projections.priced_runs import RUNS, PricedRunRow, write_runs
from projections.projection import Handler, Projection, clean
from projections.table import Table, fixed, key


class LedgerRow(msgspec.Struct, gc=False, kw_only=True):
    """A cost as it counts for `run_id`: the execution that spent it, or one above. at: the start of the call.

    currency: empty for a cost that is not priced. unpriced: 1 for such a cost, -1 for a correction that prices it.
    outermost: 1 where no execution above `run_id` is of the same process. correction: 1 for a difference.
    """

    position: Annotated[int, key("bigint")]
    run_id: Annotated[bytes, key("uuid")]
    currency: Annotated[str, key("text")]
    process_id: Annotated[bytes, fixed("uuid not null")]
    execution_id: Annotated[bytes, fixed("uuid not null")]
    process: Annotated[str, fixed("text not null")]
    step: Annotated[str, fixed("text not null")]
    at: Annotated[datetime, fixed("timestamptz not null")]
    recorded_at: Annotated[datetime, fixed("timestamptz not null")]
    amount: Annotated[Decimal, fixed("numeric not null")]
    unpriced: Annotated[int, fixed("int not null")]
    outermost: Annotated[int, fixed("int not null")]
    correction: Annotated[int, fixed("int not null")]


class RuleRow(msgspec.Struct, gc=False, kw_only=True):
    """A threshold that an event sets, or clears: then it has no levels. rule: the number of the event in its stream."""

    position: Annotated[int, key("bigint")]
    process_id: Annotated[bytes, fixed("uuid not null")]
    process: Annotated[str, fixed("text not null")]
    kind: Annotated[str, fixed("text not null")]
    rule: Annotated[int, fixed("int not null")]
    at: Annotated[datetime, fixed("timestamptz not null")]
    levels: Annotated[msgspec.Raw | None, fixed("json")] = None
    timezone: Annotated[str, fixed("text not null")] = "UTC"
    week_starts: Annotated[str, fixed("text not null")] = "monday"
    source: Annotated[str, fixed("text not null")] = ""
    version: Annotated[int, fixed("int not null")] = 0
    counts_from: Annotated[datetime | None, fixed("timestamptz")] = None


LEDGER = Table("cost_ledger", LedgerRow)
RULES = Table("cost_rules", RuleRow)


class LedgerChanges(msgspec.Struct):
    """The rows that a page adds to the tables, and its StepCompleted."""

    costs: list[LedgerRow] = []
    rules: list[RuleRow] = []
    completed: list[Fact] = []


def _recorded(changes: LedgerChanges, fact: Fact) -> None:
    cost: Money | None = fact.event.cost
    if cost is None:
        _book(changes, fact, "", Decimal(0), 1)
    else:
        _book(changes, fact, cost.currency, cost.amount, 0)


def _corrected(changes: LedgerChanges, fact: Fact) -> None:
    before: Money | None = fact.event.before
    after: Money | None = fact.event.after
    differences: dict[str, Decimal] = {}
    if before is not None:
        differences[before.currency] = before.amount.copy_negate()
    if after is not None:
        differences[after.currency] = add(differences.get(after.currency, Decimal(0)), after.amount)
    unpriced = (after is None) - (before is None)
    if unpriced and not any(differences.values()):
        differences.setdefault("", Decimal(0))
    for n, (currency, amount) in enumerate(differences.items()):
        _book(changes, fact, currency, amount, 0 if n else unpriced, correction=1)


def _book(
    changes: LedgerChanges, fact: Fact, currency: str, amount: Decimal, unpriced: int, *, correction: int = 0
) -> None:
    line = fact.line
    _, spender = line[-1]
    met: set[bytes] = set()
    for run, origin in line:
        row = LedgerRow(
            position=fact.position,
            run_id=run,
            currency=currency,
            process_id=origin.process_id,
            execution_id=fact.stream,
            process=spender.process,
            step=clean(spender.place(fact.event.step)),
            at=fact.event.called_at or fact.event.at,
            recorded_at=fact.event.at,
            amount=amount,
            unpriced=unpriced,
            outermost=int(origin.process_id not in met),
            correction=correction,
        )
        met.add(origin.process_id)
        changes.costs.append(row)


def _completed(changes: LedgerChanges, fact: Fact) -> None:
    changes.completed.append(fact)


def _set(changes: LedgerChanges, fact: Fact) -> None:
    event = fact.event
    row = _rule(fact)
    row.levels, row.timezone, row.week_starts = event.levels, event.timezone, event.week_starts
    row.source, row.version, row.counts_from = event.source, event.version, event.counts_from
    changes.rules.append(row)


def _cleared(changes: LedgerChanges, fact: Fact) -> None:
    changes.rules.append(_rule(fact))


def _rule(fact: Fact) -> RuleRow:
    event = fact.event
    return RuleRow(
        position=fact.position,
        process_id=event.process_id.bytes,
        process=event.process,
        kind=event.kind,
        rule=fact.version,
        at=event.at,
    )


class CostLedgerProjection(Projection[LedgerChanges]):
    """cost_ledger and cost_rules: what the policy of alerts and the simulation add up; priced_runs: of estimates."""

    name = "cost_ledger"
    tables = ("cost_ledger", "cost_rules", "priced_runs")
    ddl = LEDGER.ddl + RULES.ddl + RUNS.ddl
    kept = (KeptTable(LEDGER, LedgerRow), KeptTable(RUNS, PricedRunRow))
    indexes = (
        "create index cost_ledger_process_idx on cost_ledger (process_id, at)",
        "create index cost_ledger_run_idx on cost_ledger (run_id, execution_id, step)",
        "create index cost_rules_kind_idx on cost_rules (process_id, kind, position desc)",
    )
    handlers: dict[str, Handler[LedgerChanges]] = {
        "CostRecorded": _recorded,
        "CostThresholdSet": _set,
        "CostThresholdCleared": _cleared,
        "CostCorrected": _corrected,
        "StepCompleted": _completed,
    }

    def changes(self) -> LedgerChanges:
        return LedgerChanges()

    def write(self, connection: Connection[Any], changes: LedgerChanges) -> None:
        LEDGER.write(connection, changes.costs)
        RULES.write(connection, changes.rules)
        write_runs(connection, changes.completed)
