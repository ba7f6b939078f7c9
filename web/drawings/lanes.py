"""The coming runs of a fleet: a lane for each process, a mark for each run, in percent of the width."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec
from markupsafe import Markup, escape

from web.drawings.timeline import Scale

LEFT = 14.0
LEAST = 0.35
HIGH = 28
TOP = 6
# As many marks of one lane differ in place; runs closer to each other share one.
PLACES = 288
LABEL = 22
A_DAY = timedelta(days=1)


class LaneRun(msgspec.Struct, frozen=True):
    """A run of a lane. flagged: its time is special, as where the clocks change. says: its time in words."""

    at: datetime
    says: str
    flagged: bool = False


class Lane(msgspec.Struct, frozen=True):
    """The runs of a process in order. more_from: from then on there are more than `runs` holds."""

    name: str
    runs: Sequence[LaneRun]
    more_from: datetime | None = None


def lanes(found: Sequence[Lane], scale: Scale, zone: tzinfo, label: str) -> Markup:
    """Return the drawing of some lanes; a line stands where a day of the reader begins. label: of the whole."""
    bottom = TOP + HIGH * len(found)
    parts = [_tick(at, words, bottom, midnight=midnight) for at, words, midnight in _ticks(scale, zone)]
    for number, lane in enumerate(found):
        parts.extend(_lane(lane, scale, TOP + HIGH * number))
    parts.append(f'<line class="now" x1="{LEFT:g}%" x2="{LEFT:g}%" y1="0" y2="{bottom}"/>')
    head = f'<svg class="ch fleet" height="{bottom + 20}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 - names and times are escaped


def _lane(lane: Lane, scale: Scale, y: int) -> list[str]:
    name = lane.name if len(lane.name) <= LABEL else f"{lane.name[: LABEL - 1]}…"
    parts = [
        f'<text x="0" y="{y + 13}"><title>{escape(lane.name)}</title>{escape(name)}</text>',
        f'<line class="g" x1="{LEFT:g}%" x2="100%" y1="{y + 9}" y2="{y + 9}"/>',
    ]
    places: dict[int, list[LaneRun]] = {}
    for run in lane.runs:
        places.setdefault(int(scale.percent(run.at) / 100 * PLACES), []).append(run)
    for runs in places.values():
        flagged = any(each.flagged for each in runs)
        says = runs[0].says if len(runs) == 1 else f"{len(runs)} runs from {runs[0].says} on"
        x = min(_x(scale.percent(runs[0].at)), 100 - LEAST)
        parts.append(
            f'<rect class="f-{"wait" if flagged else "data"}" x="{x:.2f}%" y="{y + 2}" width="{LEAST}%" height="14"'
            f' rx="1.5"><title>{escape(says)}</title></rect>'
        )
    if lane.more_from is not None:
        since = _x(scale.percent(lane.more_from))
        parts.append(
            f'<rect class="f-data part" x="{since:.2f}%" y="{y + 6}" width="{100 - since:.2f}%" height="6">'
            "<title>more runs than are shown</title></rect>"
        )
    return parts


def _tick(at: float, words: str, bottom: int, *, midnight: bool) -> str:
    x = f"{_x(at):.2f}%"
    line = f'<line class="{"base" if midnight else "g"}" x1="{x}" x2="{x}" y1="0" y2="{bottom}"/>'
    anchor = "end" if at > 97 else "middle"
    return f'{line}<text x="{x}" y="{bottom + 15}" text-anchor="{anchor}">{words}</text>'


def _ticks(scale: Scale, zone: tzinfo) -> list[tuple[float, str, bool]]:
    """Return places and words of round times: each second hour of a day, else the days."""
    span = scale.end - scale.begin
    step = timedelta(hours=2) if span <= A_DAY else A_DAY
    found: list[tuple[float, str, bool]] = []
    local = scale.begin.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    if step == A_DAY or local.hour % 2:
        local = local.replace(hour=0 if step == A_DAY else local.hour - 1)
    while True:
        local += step
        at = local.replace(tzinfo=zone)
        if at >= scale.end:
            return found
        midnight = local.hour == 0
        words = f"{local:%a} {local.day}" if step == A_DAY else f"{local:%H}"
        found.append((scale.percent(at), words, midnight))


def _x(percent: float) -> float:
    return LEFT + percent * (100 - LEFT) / 100
