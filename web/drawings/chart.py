"""The frame of a chart: its height, the lines of its grid from zero on, the names below, in percent of the width."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from math import ceil

import msgspec
from markupsafe import escape

HEIGHT, BELOW, ABOVE = 168, 22, 8
PLOT = HEIGHT - BELOW
STEPS = 3
LETTER = 0.9
RIGHT = 99.8
NAMES = 7

Write = Callable[[Decimal], str]


class ChartScale(msgspec.Struct, frozen=True):
    """The values that a chart shows, from zero to `top`, in STEPS steps at most. left: where the plot begins."""

    top: Decimal
    step: Decimal
    left: float

    def y(self, value: Decimal) -> float:
        """Return the height of a value from the top of the drawing."""
        return float(PLOT - value / self.top * (PLOT - ABOVE))

    def x(self, part: float) -> float:
        """Return the place of a part of the width, 0 to 1, in percent."""
        return self.left + part * (RIGHT - self.left)

    def ticks(self) -> list[Decimal]:
        """Return the values of the grid lines, zero first: four at most."""
        return [self.step * number for number in range(int(self.top / self.step) + 1)]


def scale_of(values: Iterable[Decimal], write: Write, *, whole: bool = False) -> ChartScale:
    """Return the scale for values of zero or more: steps of 1, 2 or 5 times a power of ten. whole: no step below 1."""
    most = max(values, default=Decimal(0))
    step = _step(most / STEPS)
    if whole:
        step = max(step, Decimal(1))
    steps = max(1, ceil(most / step))
    widest = max(len(write(step * number)) for number in range(steps + 1))
    return ChartScale(step * steps, step, 1.5 + widest * LETTER)


def drawn(label: str, parts: Iterable[str]) -> str:
    """Return the drawing of a chart. label: a sentence that says what it shows."""
    head = f'<svg class="ch" height="{HEIGHT}" role="img" aria-label="{escape(label)}">'
    return f"{head}{''.join(parts)}</svg>"


def grid(scale: ChartScale, write: Write) -> list[str]:
    """Return the grid lines with their values."""
    lines = []
    for value in scale.ticks():
        y, kind = scale.y(value), "g" if value else "base"
        lines.append(f'<line class="{kind}" x1="{scale.left:.2f}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(
            f'<text x="{scale.left - 0.8:.2f}%" y="{y + 4:.1f}" text-anchor="end">{escape(write(value))}</text>'
        )
    return lines


def names_below(scale: ChartScale, names: Sequence[str], place: Callable[[int], float]) -> list[str]:
    """Return some of the names below, the last one always. place: the middle of each, 0 to 1."""
    every = max(1, -(-len(names) // NAMES))
    return [
        f'<text x="{scale.x(place(n)):.2f}%" y="{HEIGHT - 5}" text-anchor="{_anchor(place(n))}">{escape(name)}</text>'
        for n, name in enumerate(names)
        if (len(names) - 1 - n) % every == 0
    ]


def _anchor(place: float) -> str:
    return "end" if place > 0.94 else "start" if place < 0.03 else "middle"


def _step(least: Decimal) -> Decimal:
    """Return the least of 1, 2, 5, 10… times a power of ten that is not below `least`."""
    if least <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)
