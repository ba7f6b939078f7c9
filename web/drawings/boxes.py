"""A step on a diagram: its box, its name, and what opens it."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from markupsafe import escape

from web.drawings.ranks import DiagramEdge, Size
from web.pictures import MOVING, glyph, icon, shown

SIZE = Size()
LINES = 3
SHADES = 4
# The room for the name of an open step above what it holds, and for its border at the other sides.
HEAD = 34
BORDER = 8
SIGN = 24
# The width of a letter: names are bold, and the fonts of some systems are wide.
LETTER = 7.3
SMALL_LETTER = 6.6
TYPE_ICONS = {
    "human_approval": "user-check",
    "timer": "timer",
    "gateway": "split",
    "sub_process": "layers-2",
    "notification": "bell",
}


class DrawnBody(msgspec.Struct, frozen=True, kw_only=True):
    """The steps inside a step. label: for screen readers."""

    label: str
    steps: tuple["DrawnStep", ...]
    edges: tuple[DiagramEdge, ...]


class DrawnFold(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a step shows the steps inside it. body: these, None while it is closed.

    href: where the page is with the step opened, or closed; empty: it stays as it is. label: of that link.
    """

    body: DrawnBody | None
    href: str = ""
    label: str = ""


class DrawnStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step on a diagram. status: default: none is shown. note: a short text under the name. href: where it leads.

    shade: 1 to SHADES, the stronger the more; 0 for none. fold: of a step that holds others.
    """

    id: str
    name: str
    type: str = "agent_task"
    status: str = ""
    note: str = ""
    href: str = ""
    shade: int = 0
    fold: DrawnFold | None = None


def frame(step: DrawnStep, x: float, y: float, width: float, height: float) -> str:
    """Return the box of an open step, with its name above what it holds."""
    left, top = x - width / 2, y - height / 2
    mark = _at(_glyph(step) if step.status else icon(TYPE_ICONS.get(step.type, "bot"), "tp"), left + 10, top + 10, 15)
    room = int((width - 31 - SIGN - BORDER) / LETTER)
    name = step.name if len(step.name) <= room else f"{step.name[: room - 1]}…"
    note = step.note if len(name) + len(step.note) + 2 <= room else ""
    beside = f'<tspan class="mt" dx="8">{escape(note)}</tspan>' if note else ""
    text = f'<text class="nm" x="{left + 31:.1f}" y="{top + 22:.1f}">{escape(name)}{beside}</text>'
    return _rectangle(left, top, width, height, 8) + mark + text


def sign(fold: DrawnFold, right: float, top: float) -> str:
    """Return the link that opens or closes a step: a plus or a minus."""
    x, y = right - SIGN / 2, top + SIGN / 2
    lines = f"M{x - 4:.1f} {y:.1f}h8" + ("" if fold.body else f"M{x:.1f} {y - 4:.1f}v8")
    box = f'<rect x="{right - SIGN:.1f}" y="{top:.1f}" width="{SIGN}" height="{SIGN}" rx="6"/>'
    named = f'aria-label="{escape(fold.label)}" aria-expanded="{"true" if fold.body else "false"}"'
    return f'<a class="fold" href="{escape(fold.href)}" {named}>{box}<path d="{lines}"/></a>'


def gateway(step: DrawnStep, x: float, y: float) -> str:
    r = SIZE.gate / 2
    diamond = f'<path class="box" d="M{x:.1f} {y - r:.1f}l{r} {r}l-{r} {r}l-{r} -{r}z"/>'
    picture = _at(icon("split", "tp"), x - 8, y - 8, 16)
    mark = _at(_glyph(step), x + 8, y - 22, 15)
    name = f'<text class="mt" x="{x:.1f}" y="{y + r + 13:.1f}" text-anchor="middle">{escape(step.name)}</text>'
    return diamond + picture + mark + name


def box(step: DrawnStep, x: float, y: float) -> str:
    left, top = x - SIZE.width / 2, y - SIZE.height / 2
    radius = SIZE.height / 2 if step.type == "timer" else 8
    inset = 14 if step.type == "timer" else 10
    parts = [_rectangle(left, top, SIZE.width, SIZE.height, radius)]
    if step.type == "sub_process":
        parts.insert(0, _rectangle(left + 4, top - 4, SIZE.width - 1, SIZE.height, radius))
    picture = TYPE_ICONS.get(step.type)
    beside = picture is not None and bool(step.status) and step.type != "timer"
    room = SIZE.width - inset - 26 - (20 if beside or step.fold else 6)
    lines = _wrapped(step.name, int(room / LETTER))
    note = step.note if len(lines) < LINES else ""
    first = y - (len(lines) * 14 + (13 if note else 0)) / 2 + 10.5
    mark = _glyph(step) if step.status else icon(picture or "bot", "tp")
    parts.append(_at(mark, left + inset, first - 11.5, 15))
    if beside and picture is not None:
        parts.append(_at(icon(picture, "tp"), left + SIZE.width - 22, first - 11, 14))
    indent = f"{left + inset + 21:.1f}"
    spans = [f'<tspan x="{indent}" y="{first + 14 * n:.1f}">{escape(line)} </tspan>' for n, line in enumerate(lines)]
    if note:
        spans.append(f'<tspan class="mt" x="{indent}" y="{first + 14 * len(lines):.1f}">{escape(note)} </tspan>')
    return f'{"".join(parts)}<text class="nm">{"".join(spans)}</text>'


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> str:
    return f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" rx="{radius}"/>'


def _glyph(step: DrawnStep) -> str:
    if not step.status:
        return ""
    found = shown(step.status)
    return glyph(found.glyph, spin=step.status in MOVING, label=found.word)


def _at(picture: str, x: float, y: float, size: int) -> str:
    """Return a picture at a place of the drawing."""
    if not picture:
        return picture
    place = f'x="{x:.1f}" y="{y:.1f}" width="{size}" height="{size}"'
    return f'<svg class="gl" {place} overflow="visible">{picture}</svg>'


@lru_cache(4096)
def _wrapped(text: str, width: int) -> Sequence[str]:
    """Return `text` in up to three lines of `width` characters, cut words and the rest marked."""
    lines, line = [], ""
    for word in text.split() or [text]:
        cut = word if len(word) <= width else f"{word[: width - 1]}…"
        if line and len(line) + 1 + len(cut) > width:
            lines.append(line)
            line = cut
        else:
            line = f"{line} {cut}".strip()
    lines.append(line)
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1][: width - 1]}…"]
