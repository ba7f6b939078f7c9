"""Columns by day, stacked from zero; the day that is not over is pale."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from markupsafe import Markup, escape

from web.drawings.chart import RIGHT, drawn, grid, names_below, scale_of


class ColumnPart(msgspec.Struct, frozen=True):
    """A part of a column. kind: a class of colour, as ``ok``. word: what it counts, as ``completed``."""

    kind: str
    word: str
    count: int


class StackedColumn(msgspec.Struct, frozen=True):
    """A column, its parts from the bottom. partial: the day is not over."""

    name: str
    parts: tuple[ColumnPart, ...]
    partial: bool = False


def columns(shown: Sequence[StackedColumn], label: str) -> Markup:
    """Return the chart. label: a sentence that says what it shows."""
    scale = scale_of((Decimal(sum(part.count for part in each.parts)) for each in shown), _count, whole=True)
    each_width = (RIGHT - scale.left) / max(1, len(shown))
    parts = grid(scale, _count)
    for number, column in enumerate(shown):
        x = scale.x((number + 0.16) / len(shown))
        below = Decimal(0)
        for part in column.parts:
            if not part.count:
                continue
            bottom, top = scale.y(below), scale.y(below + part.count)
            below += part.count
            title = f"<title>{escape(column.name)}: {part.count:,} {escape(part.word)}</title>"
            classes = f"f-{part.kind}{' part' if column.partial else ''}"
            parts.append(
                f'<rect class="{classes}" x="{x:.2f}%" y="{top:.1f}" width="{0.68 * each_width:.2f}%"'
                f' height="{max(bottom - top - 0.8, 0.8):.1f}" rx="1.5">{title}</rect>'
            )
    parts += names_below(scale, [each.name for each in shown], lambda number: (number + 0.5) / len(shown))
    return Markup(drawn(label, parts))  # noqa: S704 - all text is escaped


def _count(value: Decimal) -> str:
    return f"{value:,.0f}"
