"""A process as a diagram; with a status on each step it shows an execution."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import ceil

import msgspec
from markupsafe import Markup, escape

from web.drawings.ranks import DiagramEdge, DiagramGeometry, DiagramNode, Size, place, step_node
from web.pictures import MOVING, glyph, icon, shown

SIZE = Size()
PADDING = 6
TIP = 5.0
LINES = 3
SHADES = 4
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
_DASHED = ("pending", "skipped")


class DrawnStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step on a diagram. status: default: none is shown. note: a short text under the name. href: where it leads.

    shade: 1 to SHADES, the stronger the more; 0 for none.
    """

    id: str
    name: str
    type: str = "agent_task"
    status: str = ""
    note: str = ""
    href: str = ""
    shade: int = 0


def diagram(
    steps: Sequence[DrawnStep],
    edges: Sequence[DiagramEdge],
    label: str,
    *,
    taken: Iterable[DiagramEdge] | None = None,
    selected: str = "",
) -> Markup:
    """Return the drawing. taken: edges that the execution took; default: all are drawn solid."""
    gateways = frozenset(step.id for step in steps if step.type == "gateway")
    placed = _placed(tuple(step.id for step in steps), gateways, tuple(edges))
    known = None if taken is None else frozenset(taken)
    drawn = [_edge(line, known is None or line.edge in known) for line in placed.lines]
    drawn += [_step(step, *placed.centres[step.id], step.id == selected) for step in steps]
    before, after = _room_beside(steps, placed)
    width, height = f"{placed.width + before + after:.0f}", f"{placed.height:.0f}"
    box = f'width="{width}" height="{height}" viewBox="{-PADDING - before:.0f} -{PADDING} {width} {height}"'
    # All text is escaped.
    return Markup(f'<svg role="group" aria-label="{escape(label)}" {box}>{"".join(drawn)}</svg>')  # noqa: S704


def _room_beside(steps: Sequence[DrawnStep], placed: "_Placed") -> tuple[float, float]:
    """Return the room that names of gateways take on the left and on the right of the places of steps."""
    named = [
        (placed.centres[step.id][0], len(step.name) * SMALL_LETTER / 2) for step in steps if step.type == "gateway"
    ]
    left = max((half - x for x, half in named), default=0.0)
    right = max((x + half for x, half in named), default=0.0) - (placed.width - 2 * PADDING)
    return ceil(max(left, 0.0)), ceil(max(right, 0.0))


class _Line(msgspec.Struct, frozen=True):
    """An edge as it is drawn: its curves, and the place of its tip."""

    edge: DiagramEdge
    path: str
    tip: str


class _Placed(msgspec.Struct, frozen=True):
    centres: dict[str, tuple[float, float]]
    lines: list[_Line]
    width: float
    height: float


# The places follow from the definition alone: they are worked out once a version, whatever its executions do.
@lru_cache(64)
def _placed(ids: tuple[str, ...], gateways: frozenset[str], edges: tuple[DiagramEdge, ...]) -> _Placed:
    found = place(ids, gateways, edges, SIZE)
    return _Placed(
        {id: found.centres[step_node(id)] for id in ids},
        [_line(chain, found) for chain in found.chains],
        found.width + 2 * PADDING,
        found.height + 2 * PADDING,
    )


def _line(chain: list[DiagramNode], placed: DiagramGeometry) -> _Line:
    x, y = placed.centres[chain[0]]
    x += placed.halves[chain[0]]
    path = [f"M{x:.1f} {y:.1f}"]
    for node in chain[1:]:
        last = node is chain[-1]
        (middle, to), half = placed.centres[node], placed.halves[node]
        edge = middle - half - (TIP if last else 0)
        bend = (edge - x) / 2
        path.append(f"C{x + bend:.1f} {y:.1f} {edge - bend:.1f} {to:.1f} {edge:.1f} {to:.1f}")
        x, y = edge, to
        if not last:
            path.append(f"H{middle + half:.1f}")
            x = middle + half
    return _Line((chain[0][0], chain[-1][0]), "".join(path), f"M{x + TIP:.1f} {y:.1f}l-7.5 -4v8z")


def _edge(line: _Line, solid: bool) -> str:
    off = "" if solid else " off"
    return f'<path class="ed{off}" d="{line.path}"/><path class="ah{off}" d="{line.tip}"/>'


# An open page is drawn once a second while its execution runs, and few of its steps are others than before.
@lru_cache(4_096)
def _step(step: DrawnStep, x: float, y: float, selected: bool) -> str:
    status = shown(step.status) if step.status else None
    classes = f"nd c-{status.colour if status else 'idle'}"
    classes += (" off" if step.status in _DASHED else "") + (" sel" if selected else "")
    classes += f" h{step.shade}" if step.shade else ""
    inner = _gateway(step, x, y) if step.type == "gateway" else _box(step, x, y)
    if step.href:
        return f'<a class="{classes}" href="{escape(step.href)}">{inner}</a>'
    return f'<g class="{classes}">{inner}</g>'


def _gateway(step: DrawnStep, x: float, y: float) -> str:
    r = SIZE.gate / 2
    diamond = f'<path class="box" d="M{x:.1f} {y - r:.1f}l{r} {r}l-{r} {r}l-{r} -{r}z"/>'
    picture = _at(icon("split", "tp"), x - 8, y - 8, 16)
    mark = _at(_glyph(step), x + 8, y - 22, 15)
    name = f'<text class="mt" x="{x:.1f}" y="{y + r + 13:.1f}" text-anchor="middle">{escape(step.name)}</text>'
    return diamond + picture + mark + name


def _box(step: DrawnStep, x: float, y: float) -> str:
    left, top = x - SIZE.width / 2, y - SIZE.height / 2
    radius = SIZE.height / 2 if step.type == "timer" else 8
    inset = 14 if step.type == "timer" else 10
    parts = [_rectangle(left, top, SIZE.width, SIZE.height, radius)]
    if step.type == "sub_process":
        parts.insert(0, _rectangle(left + 4, top - 4, SIZE.width - 1, SIZE.height, radius))
    picture = TYPE_ICONS.get(step.type)
    beside = picture is not None and bool(step.status) and step.type != "timer"
    room = SIZE.width - inset - 26 - (20 if beside else 6)
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
