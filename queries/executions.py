"""Executions: the list of `queries/execution_list.py` and the detail of `queries/execution_detail.py`."""

from queries.amounts import Amount
from queries.definitions import Definitions
from queries.execution_detail import ExecutionDetail, TimerOfExecution, get_execution
from queries.execution_list import STATUSES, ExecutionFilter, ExecutionSummary, list_executions
from queries.steps import StepView

__all__ = [
    "STATUSES",
    "Amount",
    "Definitions",
    "ExecutionDetail",
    "ExecutionFilter",
    "ExecutionSummary",
    "StepView",
    "TimerOfExecution",
    "get_execution",
    "list_executions",
]
