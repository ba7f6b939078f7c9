"""Totals of rollups: counts, sums and sketches added up, and the figures that they give."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from math import ceil
from typing import TYPE_CHECKING

from domain.analytics.sketch import LAYOUT, value_of
from domain.money import add

if TYPE_CHECKING:
    import numpy as np

MICROSECONDS = 1e6
"""In a second."""


class SketchTotal:
    """Sketches added up. parts: their bytes, one after another."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, sketches: bytes) -> None:
        """Add the bytes of some sketches."""
        if sketches:
            self._parts.append(sketches)

    def quantiles(self, *parts: float) -> list[float | None]:
        """Return the value at each part, 0 to 1, by nearest rank; None without values."""
        if not self._parts:
            return [None for _ in parts]
        import numpy as np  # here, so that commands that count nothing start fast

        pairs = np.frombuffer(b"".join(self._parts), dtype=pair_type())
        buckets = pairs["bucket"].astype(np.int64)
        least = int(buckets.min())
        # Counts are integers below 2^53, which doubles add up exactly.
        counts = np.bincount(buckets - least, weights=pairs["count"]).cumsum()
        whole = int(counts[-1])
        if not whole:
            return [None for _ in parts]
        ranks = [max(1, ceil(part * whole)) for part in parts]
        return [value_of(least + int(np.searchsorted(counts, rank))) for rank in ranks]


@cache
def pair_type() -> "np.dtype[np.void]":
    """Return the type of numpy of the pairs in a sketch."""
    import numpy as np

    return np.dtype(list(LAYOUT))


class CostTotal:
    """Costs in a currency. of: executions that cost something or lack a price; priced: those that lack none."""

    __slots__ = ("amount", "of", "priced", "sketch")

    def __init__(self) -> None:
        self.of = self.priced = 0
        self.amount = Decimal(0)
        self.sketch = SketchTotal()

    def add(self, of: int, priced: int, amount: Decimal, sketches: bytes) -> None:
        """Add what a row sums up."""
        self.of += of
        self.priced += priced
        self.amount = add(self.amount, amount)
        self.sketch.add(sketches)

    @property
    def mean(self) -> Decimal | None:
        """The mean of the priced ones, to ten significant digits."""
        return round_amount(self.amount / self.priced) if self.priced else None


class RunTotal:
    """Executions that ended. Times are sums in microseconds, of the completed ones; spent: by the time of the call."""

    TIMES = ("duration", "working", "retrying", "waiting_approval", "waiting_child", "waiting_timer", "waiting_queue")
    COUNTS = ("completed", "failed", "timed_out", "cancelled")

    __slots__ = ("cancelled", "completed", "costs", "failed", "sketch", "spent", "timed_out", "times")

    def __init__(self) -> None:
        self.completed = self.failed = self.timed_out = self.cancelled = 0
        self.times = dict.fromkeys(self.TIMES, 0)
        self.sketch = SketchTotal()
        self.costs: dict[str, CostTotal] = {}
        self.spent: dict[str, Decimal] = {}

    @property
    def ended(self) -> int:
        """The number of all of them."""
        return self.completed + self.failed + self.cancelled

    @property
    def success_rate(self) -> float | None:
        """The part that completed of those that completed or failed."""
        over = self.completed + self.failed
        return self.completed / over if over else None

    def mean(self, *times: str) -> float | None:
        """Return the mean of some times together, in seconds."""
        return sum(self.times[each] for each in times) / self.completed / MICROSECONDS if self.completed else None

    def quantiles(self, *parts: float) -> list[float | None]:
        """Return the duration at each part, in seconds."""
        return [None if value is None else value / MICROSECONDS for value in self.sketch.quantiles(*parts)]

    def count(self, row: Mapping[str, int]) -> None:
        """Add the counts of a row."""
        self.completed += row["completed"]
        self.failed += row["failed"]
        self.timed_out += row["timed_out"]
        self.cancelled += row["cancelled"]

    def cost(self, currency: str) -> CostTotal:
        """Return the total of a currency, to add to."""
        return self.costs.setdefault(currency, CostTotal())

    def spend(self, currency: str, amount: Decimal) -> None:
        """Add what calls cost."""
        self.spent[currency] = add(self.spent.get(currency, Decimal(0)), amount)


class StepTotal:
    """A step of a process: completed executions that count, and the whole of the measure, completed or not.

    values: microseconds, or amounts.
    """

    __slots__ = ("n", "sketch", "total", "whole")

    def __init__(self) -> None:
        self.n = 0
        self.total = Decimal(0)
        self.whole = Decimal(0)
        self.sketch = SketchTotal()


def round_amount(amount: Decimal | float) -> Decimal:
    """Return an amount with at most ten significant digits."""
    return Decimal(f"{amount:.10g}")


def written(amount: Decimal) -> str:
    """Return an amount in its shortest form, exactly."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
