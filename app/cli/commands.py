"""Every command: its name, its module, and its line in `procession --help`.

The line is the first sentence of the command's docstring; `tests/app/test_command_table.py` keeps the two equal.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """The place of a command. module: below `app.cli`. group: the module is a group of commands."""

    module: str
    line: str
    group: bool = False


COMMANDS = {
    "demo": Entry(
        "demo", "Start everything in one process, run the example processes, show them, and stay up until Ctrl-C."
    ),
    "up": Entry("serving", "Run everything in one process: API, worker and projector."),
    "serve": Entry("serving", "Run the API only; executions go on where `procession work` runs on the same database."),
    "work": Entry("serving", "Run a worker, and by default a projector."),
    "migrate": Entry("migrating", "Apply the migrations that the database lacks, and create missing read tables."),
    "validate": Entry("processes.validate", "Check definitions and report every problem; record nothing."),
    "publish": Entry(
        "processes.publish",
        "Publish a definition as the next version of its process; an unchanged one records nothing.",
    ),
    "schema": Entry(
        "processes.schema", "Write the JSON Schema of the process language, for editors; with or without --json."
    ),
    "start": Entry("executions.start", "Start an execution of a process."),
    "executions": Entry("executions.list", "List executions, the newest first."),
    "show": Entry("executions.show", "Show one execution with its steps, or its events."),
    "diff": Entry("executions.diff", "Show what changed in one execution between two points."),
    "retry": Entry(
        "repairs", "Let a failed execution continue from its failed steps, or begin one step again, in new attempts."
    ),
    "skip": Entry("repairs", "Continue without a step."),
    "reassign": Entry("repairs", "Give a step to another agent."),
    "cancel": Entry("repairs", "Cancel an execution."),
    "timers": Entry("timers.list", "List timers by due time, the next first."),
    "fire-timer": Entry("timers.fire", "Fire a timer now."),
    "move-timer": Entry("timers.move", "Move a timer."),
    "workers": Entry("workers", "List workers with the attempts that each has claimed."),
    "sizes": Entry("sizes", "Show the size of the log and of each table on disk; numbers of rows are estimates."),
    "epochs": Entry("epochs", "List the epochs of the log, the present one first; a failover begins another one."),
    "settings": Entry(
        "settings", "Show the settings in force in this environment; of a secret, only whether it is set."
    ),
    "approvals": Entry("approvals.list", "List approvals, open and decided, the newest first."),
    "approve": Entry("approvals.decide", "Approve: the execution goes on."),
    "reject": Entry("approvals.decide", "Reject: the step fails, and the execution too unless on_error continues it."),
    "request-changes": Entry("approvals.decide", "Request changes."),
}

GROUPS = {
    "processes": Entry("processes.shown", "Processes, published and drafted.", group=True),
    "templates": Entry("templates", "Templates, to begin a process from.", group=True),
    "agents": Entry("agents", "Agents, which carry out steps.", group=True),
    "schedules": Entry("schedules", "Schedules, which start executions by the clock.", group=True),
    "calendars": Entry("calendars", "Calendars, the days on which schedules make exceptions.", group=True),
    "analytics": Entry(
        "analytics", "Success, durations and costs of executions, by process, day and step.", group=True
    ),
    "costs": Entry("costs", "Costs of calls, prices, and the alerts that costs raise.", group=True),
    "roles": Entry(
        "roles", "Roles of agents in processes: who does the work, who watches over it, who is informed.", group=True
    ),
    "keys": Entry("keys", "Keys, which admit people and programs to the server.", group=True),
    "batches": Entry("batches", "Batches, which act on many executions at once.", group=True),
    "set-aside": Entry(
        "set_aside",
        "Executions and cost alerts that are set aside, because no decision about them succeeds.",
        group=True,
    ),
    "archive": Entry(
        "archive", "Move executions that ended from the log to Parquet files; figures keep their part.", group=True
    ),
    "projections": Entry("projections", "Read models: tables that projections build from the log.", group=True),
}
