"""A timeline: a bar for what each step did, in percent of the width, so that it fits any width without a script."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

import msgspec
from markupsafe import Markup

LEAST = 0.35
TICKS = 6
# From the smallest on: the first of which at most TICKS fit into the span.
STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
)


class TimelineBar(msgspec.Struct, frozen=True):
    """A bar. kind: ok, run, bad, undo or idle (worked), wait, retry, expected, or mark for an instant."""

    kind: str
    begin: datetime
    end: datetime


class Scale(msgspec.Struct, frozen=True):
    """The span of time that a timeline shows."""

    begin: datetime
    end: datetime

    def percent(self, at: datetime) -> float:
        """Return the place of an instant, from 0 to 100."""
        whole = max((self.end - self.begin).total_seconds(), 0.001)
        return min(100.0, max(0.0, (at - self.begin).total_seconds() / whole * 100))

    def ticks(self, zone: tzinfo) -> list[tuple[float, str]]:
        """Return the places of a few round times with their texts."""
        span = self.end - self.begin
        step = next((each for each in STEPS if span / each <= TICKS), None)
        if step is None:
            step = timedelta(days=max(1, -(-span.days // TICKS)))
        local = self.begin.astimezone(zone)
        at = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at += -(-(local - at) // step) * step
        form = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M" if span < timedelta(days=1) else "%d.%m. %H:%M"
        found: list[tuple[float, str]] = []
        while at <= self.end and len(found) <= TICKS + 1:
            found.append((self.percent(at), f"{at:{form}}"))
            at += step
        return found


def axis(ticks: Sequence[tuple[float, str]]) -> Markup:
    """Return the axis of a timeline."""
    anchored = (("start" if at < 3 else "end" if at > 94 else "middle", at, words) for at, words in ticks)
    return _chart(f'<text x="{at:.2f}%" y="20" text-anchor="{anchor}">{words}</text>' for anchor, at, words in anchored)


def row(
    bars: Sequence[TimelineBar], scale: Scale, ticks: Sequence[tuple[float, str]], now: datetime | None = None
) -> Markup:
    """Return the bars of one step. now: a line at the present, while the execution runs."""
    return _row(tuple(bars), scale, tuple(ticks), now)


# Steps that nothing has reached yet have the same row, and those of an execution that ended stay as they are.
@lru_cache(2_048)
def _row(
    bars: tuple[TimelineBar, ...], scale: Scale, ticks: tuple[tuple[float, str], ...], now: datetime | None
) -> Markup:
    parts = [_grid(tuple(at for at, _ in ticks))]
    parts += [_bar(bar.kind, scale.percent(bar.begin), scale.percent(bar.end)) for bar in bars]
    if now is not None:
        parts.append(_line("now", scale.percent(now)))
    return _chart(parts)


@lru_cache(64)
def _grid(ticks: tuple[float, ...]) -> str:
    """Return the lines at the ticks, which are the same in each row."""
    return "".join(_line("g", at) for at in ticks)


def _line(classes: str, at: float) -> str:
    return f'<line class="{classes}" x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="100%"/>'


def _bar(kind: str, begin: float, end: float) -> str:
    width = f"{max(end - begin, LEAST):.2f}"
    x = f"{min(begin, 100 - LEAST):.2f}"
    if kind == "wait":
        return (
            f'<rect class="f-wait" opacity=".28" x="{x}%" y="32%" width="{width}%" height="36%" rx="2"/>'
            f'<rect class="f-wait" x="{x}%" y="32%" width="2.5" height="36%"/>'
        )
    if kind == "expected":
        return f'<rect class="s-ghost" x="{x}%" y="32%" width="{width}%" height="36%" rx="2"/>'
    if kind == "retry":
        return f'<line class="pause" x1="{x}%" x2="{end:.2f}%" y1="50%" y2="50%"/>'
    if kind == "mark":
        return f'<svg x="{x}%" y="50%" overflow="visible"><path class="f-idle" d="M0 -5l5 5l-5 5l-5 -5z"/></svg>'
    return f'<rect class="f-{kind}" x="{x}%" y="26%" width="{width}%" height="48%" rx="3"/>'


def _chart(parts: Iterable[str]) -> Markup:
    """Return a drawing of `parts`, which hold numbers, times and names of classes only."""
    return Markup(f'<svg class="ch" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704 - the reason stands above
