"""The definition of each figure of analytics, as data: the API, the pages, the commands and the documents show it."""

from collections.abc import Mapping

import msgspec

HIGHER, LOWER = "higher", "lower"


class FigureDefinition(msgspec.Struct, frozen=True):
    """The meaning of a figure in one sentence or a few. good: the direction that is good; None: neither is."""

    name: str
    title: str
    text: str
    good: str | None = None


_ALL = (
    FigureDefinition(
        "ended",
        "Ended",
        "Executions whose end lies in the window: completed, failed or cancelled. A failed execution that an "
        "operator retried has not ended until it ends again.",
    ),
    FigureDefinition(
        "completed",
        "Completed",
        "Ended executions of which every step is completed or skipped.",
    ),
    FigureDefinition(
        "failed",
        "Failed",
        "Ended executions that failed, by a time limit too.",
    ),
    FigureDefinition(
        "timed_out",
        "Timed out",
        "Failed executions whose error is a time limit that passed: of an attempt, of a step, of a call, of a "
        "heartbeat or of an approval. They count as failed too.",
        LOWER,
    ),
    FigureDefinition(
        "cancelled",
        "Cancelled",
        "Ended executions that a person, a limit or a parent execution cancelled. They count neither for nor "
        "against the success rate.",
    ),
    FigureDefinition(
        "running",
        "Running",
        "Executions that have not ended, now. They are in no other figure.",
    ),
    FigureDefinition(
        "success_rate",
        "Success rate",
        "Completed executions divided by completed and failed ones. Without either there is no rate.",
        HIGHER,
    ),
    FigureDefinition(
        "duration",
        "Duration",
        "The time from the start of an execution to its end, the time in the queue included. Only completed "
        "executions count.",
        LOWER,
    ),
    FigureDefinition(
        "mean",
        "Mean",
        "The sum of all values divided by their number.",
    ),
    FigureDefinition(
        "median",
        "Median",
        "The least value that half of the values do not exceed (nearest rank), within 1.1 %.",
    ),
    FigureDefinition(
        "p95",
        "95th percentile",
        "The least value that 95 of 100 values do not exceed (nearest rank), within 1.1 %: one in twenty "
        "takes longer, or costs more.",
    ),
    FigureDefinition(
        "working",
        "Working",
        "The part of the duration in which at least one attempt was with an agent. An attempt that failed was "
        "working too.",
        LOWER,
    ),
    FigureDefinition(
        "retrying",
        "Retrying",
        "The part of the duration in which no attempt was with an agent, and at least one step waited to be "
        "tried again, after a failure of the whole execution too.",
        LOWER,
    ),
    FigureDefinition(
        "waiting",
        "Waiting",
        "The rest of the duration: working, retrying and waiting add up to it. Each moment counts once, for "
        "the first that applies of approval, child, timer and queue.",
        LOWER,
    ),
    FigureDefinition(
        "waiting_approval",
        "Waiting for approval",
        "Waiting while an approval was open.",
        LOWER,
    ),
    FigureDefinition(
        "waiting_child",
        "Waiting for a child",
        "Waiting while a called execution had not ended.",
        LOWER,
    ),
    FigureDefinition(
        "waiting_timer",
        "Waiting for time",
        "Waiting while a timer of the process ran.",
    ),
    FigureDefinition(
        "waiting_queue",
        "Waiting in the queue",
        "Waiting for a concurrency slot or for a worker.",
        LOWER,
    ),
    FigureDefinition(
        "cost",
        "Cost",
        "The cost of an execution, of the executions that it called too; each with its own cost if called "
        "executions are included. Mean, median and 95th percentile count completed priced executions, by "
        "currency.",
        LOWER,
    ),
    FigureDefinition(
        "priced",
        "Priced",
        "Executions that cost something, 0 included, and have no use without a price. They are n of m: m also "
        "counts those with a use without a price. Executions that used nothing that costs are in neither.",
    ),
    FigureDefinition(
        "cost_total",
        "Cost in all",
        "The sum of the costs of completed priced executions, by currency.",
        LOWER,
    ),
    FigureDefinition(
        "spent",
        "Spent",
        "Every cost at the time of its call, whether or not its execution has ended, by currency.",
        LOWER,
    ),
    FigureDefinition(
        "failures",
        "Reasons of failure",
        "Failed executions by the code of the error and the step that failed.",
        LOWER,
    ),
    FigureDefinition(
        "step_worked",
        "Time worked by a step",
        "The time that the attempts of a step were with the agent, added up within an execution, without the "
        "queue and the waits between attempts. Ended executions in which the step completed count.",
        LOWER,
    ),
    FigureDefinition(
        "step_waited",
        "Time waited by a step",
        "The time that a step waited for an approval, a called execution or a timer. Ended executions in "
        "which the step completed count.",
        LOWER,
    ),
    FigureDefinition(
        "step_cost",
        "Cost of a step",
        "The cost of all attempts of a step within an execution, by currency. Ended executions in which the "
        "step completed, cost something and has no use without a price count.",
        LOWER,
    ),
    FigureDefinition(
        "share",
        "Share",
        "The part of the whole of all steps, completed or not: of the time worked, of the time waited, or of "
        "the priced cost in the currency; of a reason, of all failed executions.",
    ),
    FigureDefinition(
        "too_few",
        "Too few",
        "Steps that completed fewer than five times: their quantiles mean little.",
    ),
    FigureDefinition(
        "change",
        "Change",
        "The figure of the complete days of the window against the equal period before; today is left out on "
        "both sides.",
    ),
    FigureDefinition(
        "include_children",
        "With called executions",
        "By default only executions that no other one started count, with the cost of all that they called. "
        "With called executions, every execution counts with its own cost.",
    ),
)

DEFINITIONS: Mapping[str, FigureDefinition] = {each.name: each for each in _ALL}
"""By the name of a figure in the API."""
FEW = 5
"""Fewer values than this are too few for a quantile."""
