"""Exact sums of costs, by currency: of steps to executions, and of executions to days, corrections included."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.money import add
from projections.cost_ledger import CostLedgerProjection
from projections.execution_detail import ExecutionDetailProjection
from projections.execution_list import ExecutionList

SUM = "select currency, sum(amount) as amount from {} group by currency"
DAYS = """(select date_trunc('day', at, 'UTC') as day, currency, sum(amount) as amount from cost_ledger
where run_id = execution_id and currency <> '' group by 1, 2) days"""
TABLES = ("execution_step_costs", "execution_list_costs", DAYS)
UNEQUAL = """select execution_id, currency, sum(amount) as amount from execution_step_costs group by 1, 2
except select execution_id, currency, amount from execution_list_costs"""


@settings(max_examples=40)
@given(data=st.data())
def test_steps_sum_to_executions_and_executions_to_days(
    read_tables: Any, histories: Any, as_rows: Any, data: Any
) -> None:
    happened = data.draw(histories)
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for _, event in happened:
        for field in ("cost", "after", "before"):
            money = getattr(event, field, None)
            if money is not None:
                amount = money.amount.copy_negate() if field == "before" else money.amount
                expected[money.currency] = add(expected[money.currency], amount)
    rows = as_rows(happened)
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        for projection in (ExecutionList(), ExecutionDetailProjection(), CostLedgerProjection()):
            projection.write(connection, projection.fold_rows(rows, connection))
        for table in TABLES:
            found = dict(
                tuple(row.values()) if isinstance(row, dict) else row for row in connection.execute(SUM.format(table))
            )
            assert {currency: found.get(currency, Decimal(0)) for currency in expected} == expected, table
        assert connection.execute(UNEQUAL).fetchall() == []
