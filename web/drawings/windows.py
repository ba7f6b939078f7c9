"""Totals of days or weeks as bars, with limits as lines across them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

HEIGHT = 120
_AIR = Decimal("1.1")


class DrawnWindow(msgspec.Struct, frozen=True):
    """A bar: percent from the left and of the width, the height of the total, and whether it reached a limit."""

    x: float
    width: float
    height: float
    begins: str
    total: str
    reached: bool


class DrawnLimit(msgspec.Struct, frozen=True):
    """A line: its height, the amount, and whether it is only proposed."""

    y: float
    amount: str
    proposed: bool = False


class WindowsDrawing(msgspec.Struct, frozen=True):
    """Bars in order and the lines across them."""

    bars: list[DrawnWindow]
    limits: list[DrawnLimit]
    height: int = HEIGHT


def draw_windows(
    totals: Sequence[tuple[datetime, str]], limits: Sequence[str] = (), proposed: str | None = None
) -> WindowsDrawing:
    """Return the drawing. totals: by the begin of the window. A bar that reaches the lowest line is marked.

    proposed: a limit that is not in force; with it, that one marks the bars.
    """
    amounts = [Decimal(total) for _, total in totals]
    lines = [*((each, False) for each in limits), *(((proposed, True),) if proposed else ())]
    heights = [Decimal(each) for each, _ in lines]
    highest = max([*amounts, *(each * _AIR for each in heights), Decimal("1e-12")])
    least = Decimal(proposed) if proposed else min(heights, default=None)
    width = 100 / max(len(totals), 1)

    def height(amount: Decimal) -> float:
        return round(float(max(amount, Decimal(0)) / highest) * HEIGHT, 2)

    bars = [
        DrawnWindow(
            round(n * width, 3),
            round(width * 0.8, 3),
            height(amount),
            begins.date().isoformat(),
            total,
            least is not None and amount >= least,
        )
        for n, ((begins, total), amount) in enumerate(zip(totals, amounts, strict=True))
    ]
    return WindowsDrawing(
        bars, [DrawnLimit(height(each), text, off) for (text, off), each in zip(lines, heights, strict=True)]
    )
