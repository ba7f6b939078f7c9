"""Executions: the list of `queries/execution_list.py` and the detail of `queries/execution_detail.py`."""

from domain.executions.waiting import AWAITED_KINDS
from queries.amounts import Amount
from queries.attempts import AttemptView
from queries.definitions import Definitions
from queries.execution_detail import ExecutionDetail, TimerOfExecution, get_execution
from queries.execution_list import (
    STATUSES,
    ExecutionFilter,
    ExecutionSummary,
    FailedExecution,
    list_executions,
    longest_running,
    newest_failed,
)
from queries.steps import StepView
from queries.waits import Wait

__all__ = [
    "AWAITED_KINDS",
    "STATUSES",
    "Amount",
    "AttemptView",
    "Definitions",
    "ExecutionDetail",
    "ExecutionFilter",
    "ExecutionSummary",
    "FailedExecution",
    "StepView",
    "TimerOfExecution",
    "Wait",
    "get_execution",
    "list_executions",
    "longest_running",
    "newest_failed",
]
