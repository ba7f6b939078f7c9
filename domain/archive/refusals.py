"""Refusals about executions that left the log."""

from domain.refusal import NotFound


class ExecutionArchived(NotFound):
    """The execution is in a file of the archive; details hold `file`, its name."""

    code = "archived"
