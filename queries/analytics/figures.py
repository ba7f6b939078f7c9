"""The figures of analytics in answers. Times are in seconds, rates and shares from 0 to 1, money an exact decimal."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from queries.amounts import Amount

F = TypeVar("F")


class FigureChange(msgspec.Struct, frozen=True):
    """A figure of the complete days of the window, and of the equal period before; None: nothing to count.

    difference: None without either. is_good: None where no direction is, or nothing has changed.
    """

    now: float | None
    before: float | None
    difference: float | None
    is_good: bool | None


class DurationFigures(msgspec.Struct, frozen=True):
    """Durations of the `n` completed executions. working, retrying and waiting are means, which add up to the mean.

    waiting_queue, waiting_timer, waiting_approval and waiting_child add up to waiting.
    """

    n: int
    mean: float | None
    median: float | None
    p95: float | None
    working: float | None
    retrying: float | None
    waiting: float | None
    waiting_queue: float | None
    waiting_timer: float | None
    waiting_approval: float | None
    waiting_child: float | None


class CostFigures(msgspec.Struct, frozen=True):
    """Costs in a currency of `priced` completed executions, of the `of` that cost something or lack a price.

    mean, median, p95: amounts. changes: of mean, median and total.
    """

    currency: str
    mean: str | None
    median: str | None
    p95: str | None
    total: str
    priced: int
    of: int
    changes: dict[str, FigureChange]
    links: dict[str, str]


class SpentFigures(msgspec.Struct, frozen=True):
    """The cost in a currency of all calls in the window, by the time of the call. link: to the executions of these."""

    currency: str
    amount: str
    change: FigureChange
    link: str


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of some executions. links: by the name of a figure, the path of the list of its executions.

    The same path under `/api` answers the list as JSON. archived: how many of the ended ones are in files alone: the
    lists have the others.
    """

    ended: int
    archived: int = 0
    completed: int
    failed: int
    timed_out: int
    cancelled: int
    running: int
    success_rate: float | None
    duration: DurationFigures
    cost: list[CostFigures]
    spent: list[SpentFigures]
    changes: dict[str, FigureChange]
    links: dict[str, str]


class ProcessFigures(RunFigures, frozen=True, kw_only=True):
    """The figures of a process."""

    process_id: UUID
    process: str


class VersionFigures(RunFigures, frozen=True, kw_only=True):
    """The figures of a version of a process."""

    version: int


class FailureReason(msgspec.Struct, frozen=True):
    """Failed executions with one error at one step. step: None: no step failed. share: of all failed ones."""

    code: str
    step: str | None
    count: int
    share: float
    links: dict[str, str]


class TrendDay(msgspec.Struct, frozen=True, gc=False):
    """A day. partial: it is not over. duration_median: of those that completed. cost: of the calls of the day.

    cost_links: by currency, to the executions of these calls. archived: how many of the ended ones are in files alone.
    """

    day: date
    partial: bool
    ended: int
    completed: int
    failed: int
    timed_out: int
    cancelled: int
    duration_median: float | None
    cost: list[Amount]
    links: dict[str, str]
    cost_links: dict[str, str]
    archived: int = 0


class StepFigures(msgspec.Struct, frozen=True):
    """A step of a process. n: executions that count. share: of the whole of all steps.

    median, p95, total: seconds, or amounts in `currency`. measure: the one by which steps are in order.
    """

    process_id: UUID
    process: str
    step: str
    n: int
    median: float | None
    p95: float | None
    total: float
    share: float
    currency: str | None
    links: dict[str, str]


class FiguresWindow(msgspec.Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """The window of an answer: `days` complete days and today, in a zone. before: where the equal period begins."""

    begin: datetime
    end: datetime
    before: datetime
    today: datetime
    timezone: str
    days: int


class DefinitionText(msgspec.Struct, frozen=True):
    """The meaning of a figure. good: the direction that is good, higher or lower; None: neither is."""

    title: str
    text: str
    good: str | None


class FiguresAnswer(msgspec.Struct, Generic[F], frozen=True, kw_only=True):
    """Figures in a window, each with its definition, up to a position in the log.

    archived: how many of the executions that ended in the window are in files alone: the lists have the others.
    """

    items: Sequence[F]
    window: FiguresWindow
    definitions: dict[str, DefinitionText]
    as_of_position: int
    lag_seconds: float
    archived: int = 0


class ProcessesAnswer(FiguresAnswer[ProcessFigures], frozen=True, kw_only=True):
    """The processes by name, all of them together, and why executions failed, the most frequent first.

    truncated: there are more processes than the 500 of which most executions ended.
    """

    total: RunFigures
    failures: list[FailureReason]
    truncated: bool


class ProcessAnswer(FiguresAnswer[VersionFigures], frozen=True, kw_only=True):
    """One process: its versions side by side, all of them together, and why its executions failed."""

    process_id: UUID
    process: str
    total: RunFigures
    failures: list[FailureReason]


class TrendsAnswer(FiguresAnswer[TrendDay], frozen=True, kw_only=True):
    """The days of the window in order, and those of the equal period before."""

    previous: list[TrendDay]


class StepsAnswer(FiguresAnswer[StepFigures], frozen=True, kw_only=True):
    """Steps in an order, the first 50; too_few: those that completed fewer than five times."""

    order: str
    measure: str
    too_few: list[StepFigures]
