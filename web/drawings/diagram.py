"""A process as a diagram; with a status on each step it shows an execution."""

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

from web.drawings.ranks import DiagramEdge, DiagramGeometry, DiagramNode, Size, place, step_node
from web.pictures import MOVING, glyph, icon, shown

PADDING = 6
TIP = 5.0
LINES = 3
# The width of a bold character of a name in pixels, a little above the mean.
GLYPH = 6.8
TYPE_ICONS = {
    "human_approval": "user-check",
    "timer": "timer",
    "gateway": "split",
    "sub_process": "layers-2",
    "notification": "bell",
}
_DASHED = ("pending", "skipped")


class DrawnStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step on a diagram. status: default: none is shown. note: a short text under the name. href: where it leads."""

    id: str
    name: str
    type: str = "agent_task"
    status: str = ""
    note: str = ""
    href: str = ""


def diagram(
    steps: Sequence[DrawnStep],
    edges: Sequence[DiagramEdge],
    label: str,
    *,
    taken: Iterable[DiagramEdge] | None = None,
    selected: str = "",
) -> Markup:
    """Return the drawing. taken: edges that the execution took; default: all are drawn solid."""
    size = Size()
    gateways = frozenset(step.id for step in steps if step.type == "gateway")
    placed = place([step.id for step in steps], gateways, edges, size)
    known = None if taken is None else frozenset(taken)
    lines = [_edge(chain, placed, known) for chain in placed.chains]
    drawn = [_step(step, placed, size, selected) for step in steps]
    width, height = placed.width + 2 * PADDING, placed.height + 2 * PADDING
    form = Markup(
        '<svg role="group" aria-label="{0}" width="{1:.0f}" height="{2:.0f}" viewBox="-6 -6 {1:.0f} {2:.0f}">{3}</svg>'
    )
    return form.format(label, width, height, Markup("").join([*lines, *drawn]))


def _edge(chain: list[DiagramNode], placed: DiagramGeometry, taken: frozenset[DiagramEdge] | None) -> Markup:
    off = "" if taken is None or (chain[0][0], chain[-1][0]) in taken else " off"
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
    line = f'<path class="ed{off}" d="{"".join(path)}"/>'
    return Markup(f'{line}<path class="ah{off}" d="M{x + TIP:.1f} {y:.1f}l-7.5 -4v8z"/>')  # noqa: S704 - numbers


def _step(step: DrawnStep, placed: DiagramGeometry, size: Size, selected: str) -> Markup:
    x, y = placed.centres[step_node(step.id)]
    status = shown(step.status) if step.status else None
    classes = f"nd c-{status.colour if status else 'idle'}"
    classes += (" off" if step.status in _DASHED else "") + (" sel" if step.id == selected else "")
    inner = _gateway(step, x, y, size) if step.type == "gateway" else _box(step, x, y, size)
    if step.href:
        return Markup('<a class="{}" href="{}">{}</a>').format(classes, step.href, inner)
    return Markup('<g class="{}">{}</g>').format(classes, inner)


def _gateway(step: DrawnStep, x: float, y: float, size: Size) -> Markup:
    r = size.gate / 2
    form = Markup('<path class="box" d="M{0:.1f} {1:.1f}l{2} {2}l-{2} {2}l-{2} -{2}z"/>')
    diamond = form.format(x, y - r, r)
    picture = _at(icon("split", "tp"), x - 8, y - 8, 16)
    mark = _at(_glyph(step), x + 8, y - 22, 15)
    name = Markup('<text class="mt" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    return diamond + picture + mark + name.format(x, y + r + 13, step.name)


def _box(step: DrawnStep, x: float, y: float, size: Size) -> Markup:
    left, top = x - size.width / 2, y - size.height / 2
    radius = size.height / 2 if step.type == "timer" else 8
    inset = 14 if step.type == "timer" else 10
    parts = [_rectangle(left, top, size.width, size.height, radius)]
    if step.type == "sub_process":
        parts.insert(0, _rectangle(left + 4, top - 4, size.width - 1, size.height, radius))
    picture = TYPE_ICONS.get(step.type)
    beside = picture is not None and bool(step.status) and step.type != "timer"
    room = size.width - inset - 26 - (20 if beside else 6)
    lines = _wrapped(step.name, int(room / GLYPH))
    note = step.note if len(lines) < LINES else ""
    first = y - (len(lines) * 14 + (13 if note else 0)) / 2 + 10.5
    mark = _glyph(step) if step.status else icon(picture or "bot", "tp")
    parts.append(_at(mark, left + inset, first - 11.5, 15))
    if beside and picture is not None:
        parts.append(_at(icon(picture, "tp"), left + size.width - 22, first - 11, 14))
    span = Markup('<tspan{} x="{:.1f}" y="{:.1f}">{} </tspan>')
    spans = [span.format("", left + inset + 21, first + 14 * n, line) for n, line in enumerate(lines)]
    if note:
        spans.append(span.format(Markup(' class="mt"'), left + inset + 21, first + 14 * len(lines), note))
    parts.append(Markup('<text class="nm">{}</text>').format(Markup("").join(spans)))
    return Markup("").join(parts)


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> Markup:
    shape = f'x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" rx="{radius}"'
    return Markup(f'<rect class="box" {shape}/>')  # noqa: S704 - numbers


def _glyph(step: DrawnStep) -> Markup:
    if not step.status:
        return Markup("")
    found = shown(step.status)
    return glyph(found.glyph, spin=step.status in MOVING, label=found.word)


def _at(picture: Markup, x: float, y: float, size: int) -> Markup:
    """Return a picture at a place of the drawing."""
    if not picture:
        return picture
    place = f'x="{x:.1f}" y="{y:.1f}" width="{size}" height="{size}"'
    return Markup(f'<svg class="gl" {place} overflow="visible">{picture}</svg>')  # noqa: S704 - markup among numbers


def _wrapped(text: str, width: int) -> list[str]:
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
