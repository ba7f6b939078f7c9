"""The rows of analytics: figures of executions by the span in which they ended, and of costs by that of their call.

Every row stands for a span of one of the grains of `domain/analytics/grains.py`, most also for a process, a version and
a trigger; grain: its minutes; begins: its first instant. The sums of times are microseconds. `agent_rows.py` has those
of agents.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec

from domain.analytics.grains import ALL_GRAINS, DAY_GRAINS, GRAINS, minutes_of
from domain.analytics.sketch import Buckets
from projections.table import OFTEN_UPDATED, Table, always, key, sketched, total

S = TypeVar("S", bound="SpanRow")
STORAGE = f"fillfactor = 50, {OFTEN_UPDATED}"


class SpanRow(msgspec.Struct, gc=False):
    """The span that a row of a rollup stands for."""

    # Tables with other grains have other rows: by the check, they have another shape too.
    grain: Annotated[int, key(f"int check (grain in {tuple(map(minutes_of, ALL_GRAINS))})")]
    begins: Annotated[datetime, key("timestamptz")]


class ProcessSpanRow(SpanRow):
    """The key that the rows of executions and their costs begin with."""

    process_id: Annotated[bytes, key("uuid")]
    version: Annotated[int, key("int")]
    trigger: Annotated[str, key("text")]


class RunsRow(ProcessSpanRow):
    """Executions that ended. called: other executions started them. duration and the rest: of completed ones alone.

    timed_out: of the failed ones. duration is the sum of working, retrying and the waits; sketch: of the durations.
    """

    called: Annotated[bool, key("bool")]
    completed: Annotated[int, always("bigint")] = 0
    failed: Annotated[int, always("bigint")] = 0
    timed_out: Annotated[int, always("bigint")] = 0
    cancelled: Annotated[int, always("bigint")] = 0
    duration: Annotated[int, always("bigint")] = 0
    working: Annotated[int, always("bigint")] = 0
    retrying: Annotated[int, always("bigint")] = 0
    waiting_approval: Annotated[int, always("bigint")] = 0
    waiting_child: Annotated[int, always("bigint")] = 0
    waiting_timer: Annotated[int, always("bigint")] = 0
    waiting_queue: Annotated[int, always("bigint")] = 0
    sketch: Annotated[Buckets, sketched()] = {}


class RunCostsRow(ProcessSpanRow):
    """Costs of executions that ended with `outcome`. scope: ``tree``, of roots with all that they called, or ``own``.

    of: those that cost something, or have a use without a price; those without any cost have an empty currency. priced:
    those without such a use; amount and sketch are of these.
    """

    scope: Annotated[str, key("text")]
    outcome: Annotated[str, key("text")]
    currency: Annotated[str, key("text")]
    of: Annotated[int, always("bigint")] = 0
    priced: Annotated[int, always("bigint")] = 0
    amount: Annotated[Decimal, always("numeric")] = Decimal(0)
    sketch: Annotated[Buckets, sketched()] = {}


class StepsRow(ProcessSpanRow):
    """A step of executions that ended, in each of which it was tried. completed: and completed.

    worked: the time of its attempts with the agent; waited: for an approval, a called execution or a timer.
    """

    called: Annotated[bool, key("bool")]
    step: Annotated[str, key("text")]
    completed: Annotated[bool, key("bool")]
    n: Annotated[int, always("bigint")] = 0
    worked: Annotated[int, always("bigint")] = 0
    waited: Annotated[int, always("bigint")] = 0
    worked_sketch: Annotated[Buckets, sketched()] = {}
    waited_sketch: Annotated[Buckets, sketched()] = {}


class StepCostsRow(ProcessSpanRow):
    """Costs of a step within executions that ended; the columns as in RunCostsRow."""

    called: Annotated[bool, key("bool")]
    step: Annotated[str, key("text")]
    completed: Annotated[bool, key("bool")]
    currency: Annotated[str, key("text")]
    of: Annotated[int, always("bigint")] = 0
    priced: Annotated[int, always("bigint")] = 0
    amount: Annotated[Decimal, always("numeric")] = Decimal(0)
    sketch: Annotated[Buckets, sketched()] = {}


class FailuresRow(ProcessSpanRow):
    """Executions that failed with an error code in a step; step is empty where none failed."""

    called: Annotated[bool, key("bool")]
    code: Annotated[str, key("text")]
    step: Annotated[str, key("text")]
    n: Annotated[int, always("bigint")] = 0


class SpendingRow(ProcessSpanRow):
    """The costs that a page adds, of calls that began in the span; the process of a ``tree`` is that of its root."""

    scope: Annotated[str, key("text")]
    currency: Annotated[str, key("text")]
    uses: Annotated[int, total("bigint")] = 0
    amount: Annotated[Decimal, total("numeric")] = Decimal(0)


class EndedRow(SpanRow):
    """Executions of all processes, versions and triggers that ended; the columns as in RunsRow."""

    called: Annotated[bool, key("bool")]
    completed: Annotated[int, always("bigint")] = 0
    failed: Annotated[int, always("bigint")] = 0
    timed_out: Annotated[int, always("bigint")] = 0
    cancelled: Annotated[int, always("bigint")] = 0
    sketch: Annotated[Buckets, sketched()] = {}


class SpentRow(SpanRow):
    """The costs that a page adds, of all calls that began in the span: they are those of all trees, too."""

    currency: Annotated[str, key("text")]
    uses: Annotated[int, total("bigint")] = 0
    amount: Annotated[Decimal, total("numeric")] = Decimal(0)


class TreeCostsRow(msgspec.Struct, gc=False):
    """The costs of all executions below a root in one currency. unpriced: uses without a price; they have none."""

    root: Annotated[bytes, key("uuid")]
    currency: Annotated[str, key("text")]
    uses: Annotated[int, always("bigint")] = 0
    amount: Annotated[Decimal, always("numeric")] = Decimal(0)
    unpriced: Annotated[int, always("bigint")] = 0


class SpanTable(Table[S]):
    """A table of figures by span of time. grains: of its rows."""

    def __init__(
        self, name: str, row: type[S], *, grains: Sequence[timedelta] = GRAINS, leading: Sequence[str] = ()
    ) -> None:
        super().__init__(name, row, STORAGE, leading)
        self.grains = tuple(grains)


RUNS = SpanTable("analytics_runs", RunsRow, grains=ALL_GRAINS)
RUN_COSTS = SpanTable("analytics_run_costs", RunCostsRow)
STEPS = SpanTable("analytics_steps", StepsRow)
STEP_COSTS = SpanTable("analytics_step_costs", StepCostsRow)
FAILURES = SpanTable("analytics_failures", FailuresRow)
SPENDING = SpanTable("analytics_spending", SpendingRow, grains=ALL_GRAINS)
ENDED = SpanTable("analytics_ended", EndedRow, grains=DAY_GRAINS)
SPENT = SpanTable("analytics_spent", SpentRow, grains=DAY_GRAINS)
TREE_COSTS = Table("analytics_tree_costs", TreeCostsRow, STORAGE)
TABLES = (RUNS, RUN_COSTS, STEPS, STEP_COSTS, FAILURES, SPENDING, ENDED, SPENT, TREE_COSTS)
# Days of a zone read spans of one time of day: an index scan passes no others. The scan for costs reads no table.
_BY_TIME = "grain, ((begins at time zone 'UTC')::time), begins"
INDEXES = (
    f"create index analytics_ended_time_idx on analytics_ended ({_BY_TIME})",
    f"create index analytics_spent_time_idx on analytics_spent ({_BY_TIME}) include (currency, uses, amount)",
)
