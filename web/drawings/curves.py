"""A line by day, from zero, against the same line of the period before, which is dashed."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from markupsafe import Markup, escape

from web.drawings.chart import HEIGHT, PLOT, RIGHT, Write, drawn, grid, names_below, scale_of


class CurvePoint(msgspec.Struct, frozen=True):
    """A day and its value. partial: the day is not over."""

    name: str
    value: Decimal
    partial: bool = False


def curves(points: Sequence[CurvePoint], before: Sequence[Decimal], label: str, write: Write) -> Markup:
    """Return the chart. before: the values of the period before, in order. write: a value in words."""
    values = [point.value for point in points]
    scale = scale_of([*values, *before], write)
    last = max(1, len(points) - 1)

    def line(shown: Sequence[Decimal]) -> str:
        return " ".join(f"{n / last * 1000:.1f},{scale.y(value):.1f}" for n, value in enumerate(shown))

    inner = f'<polygon class="area" points="0,{PLOT} {line(values)} 1000,{PLOT}"/>' if points else ""
    if before:
        inner += f'<polyline class="s-prev" vector-effect="non-scaling-stroke" points="{line(before)}"/>'
    inner += f'<polyline class="s-data" vector-effect="non-scaling-stroke" points="{line(values)}"/>'
    head = f'<svg x="{scale.left:.2f}%" width="{RIGHT - scale.left:.2f}%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}"'
    parts = [*grid(scale, write), f'{head} preserveAspectRatio="none">{inner}</svg>']
    for n, point in enumerate(points):
        title = f"<title>{escape(point.name)}: {escape(write(point.value))}</title>"
        x, y, faint = scale.x(n / last), scale.y(point.value), " part" if point.partial else ""
        parts.append(f'<circle class="f-data{faint}" cx="{x:.2f}%" cy="{y:.1f}" r="2.5">{title}</circle>')
    parts += names_below(scale, [each.name for each in points], lambda n: n / last)
    return Markup(drawn(label, parts))  # noqa: S704 - all text is escaped
