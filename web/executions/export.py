"""Executions as a CSV file."""

from datetime import datetime

import msgspec
from starlette.responses import Response

from queries.execution_list import ErrorSummary, ExecutionSummary
from queries.paging import Page
from web.csv_tables import CsvTable, download
from web.wording import amounts

CSV = "csv"
MOST_EXPORTED = 1_000
EXPORTED = (
    "execution_id", "process", "version", "status", "trigger", "actor", "parent_id", "started_at", "ended_at",
    "duration", "steps", "steps_done", "steps_failed", "cost", "input_tokens", "output_tokens", "error",
)  # fmt: skip


def executions_as_csv(found: Page[ExecutionSummary]) -> Response:
    """Return executions as a file, a row each; an amount of money is exact, and has a currency."""
    rows = ([_cell(getattr(each, column)) for column in EXPORTED] for each in found.items)
    return download(CsvTable("executions", EXPORTED, rows))


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case ErrorSummary():
            return value.code
        case msgspec.Raw():
            return " ".join(f"{each.amount} {each.currency}" for each in amounts(value))
        case _:
            return value
