"""The rollups that keep the figures of archived executions: the rows of several portions add up to one."""

from collections.abc import Iterable
from typing import Any

import msgspec
from psycopg import Connection

from projections.analytics.agent_rows import AGENT_SPENDING, ANSWERS, AgentSpendingRow, AnswersRow
from projections.analytics.rollup import Rollup
from projections.analytics.rows import (
    ENDED,
    FAILURES,
    RUN_COSTS,
    RUNS,
    SPENDING,
    SPENT,
    STEP_COSTS,
    STEPS,
    EndedRow,
    FailuresRow,
    RunCostsRow,
    RunsRow,
    SpendingRow,
    SpentRow,
    StepCostsRow,
    StepsRow,
)
from projections.kept_tables import KeptTable
from projections.table import Table

MOST_ROWS = 20_000


class KeptRollup(KeptTable[Any]):
    """A rollup of which the statement that writes rows does not add up: the rows are added before."""

    def __init__(self, table: Table[Any], row: type[msgspec.Struct]) -> None:
        super().__init__(table, row)
        self._of_rollup = row

    def restore(self, connection: Connection[Any], documents: Iterable[bytes]) -> None:
        """Add the rows of `documents` to those of the table on the search path."""
        rollup, merged = Rollup(self.table, self._of_rollup), 0
        for document in documents:
            for row in self.rows(document):
                rollup.merge(tuple(getattr(row, field) for field in self.table.keys), row)
                merged += 1
            if merged > MOST_ROWS:
                rollup.write(connection)
                rollup, merged = Rollup(self.table, self._of_rollup), 0
        rollup.write(connection)


KEPT: tuple[KeptTable[Any], ...] = (
    KeptRollup(RUNS, RunsRow),
    KeptRollup(RUN_COSTS, RunCostsRow),
    KeptRollup(STEPS, StepsRow),
    KeptRollup(STEP_COSTS, StepCostsRow),
    KeptRollup(FAILURES, FailuresRow),
    KeptRollup(ANSWERS, AnswersRow),
    KeptRollup(ENDED, EndedRow),
    KeptTable(SPENDING, SpendingRow),
    KeptTable(SPENT, SpentRow),
    KeptTable(AGENT_SPENDING, AgentSpendingRow),
)
