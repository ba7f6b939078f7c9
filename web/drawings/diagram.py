"""A process as a diagram; with a status on each step it shows an execution."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import ceil

import msgspec
from markupsafe import Markup, escape

from web.drawings import boxes
from web.drawings.boxes import SIZE, DrawnBody, DrawnStep
from web.drawings.ranks import DiagramEdge, DiagramGeometry, DiagramNode, place, step_node
from web.pictures import shown

PADDING = 6
TIP = 5.0
_DASHED = ("pending", "skipped")


def diagram(
    steps: Sequence[DrawnStep],
    edges: Sequence[DiagramEdge],
    label: str,
    *,
    taken: Iterable[DiagramEdge] | None = None,
    selected: str = "",
) -> Markup:
    """Return the drawing. taken: edges that the execution took; default: all are drawn solid."""
    # All text is escaped.
    return Markup(_drawing(steps, edges, label, taken=taken, selected=selected))  # noqa: S704


def _drawing(
    steps: Sequence[DrawnStep],
    edges: Sequence[DiagramEdge],
    label: str,
    *,
    taken: Iterable[DiagramEdge] | None = None,
    selected: str = "",
    corner: tuple[float, float] | None = None,
) -> str:
    """Return the drawing as a text. corner: where it stands in another one."""
    placed = _places(steps, edges)
    known = None if taken is None else frozenset(taken)
    drawn = [_edge(line, known is None or line.edge in known) for line in placed.lines]
    drawn += [_step(step, *placed.centres[step.id], step.id == selected) for step in steps]
    drawn += [_beside(step, *placed.centres[step.id]) for step in steps if step.fold is not None]
    before, _ = _room_beside(steps, placed)
    at = "" if corner is None else f'x="{corner[0]:.1f}" y="{corner[1]:.1f}" '
    width, height = (f"{length:.0f}" for length in _extent(steps, edges))
    box = f'{at}width="{width}" height="{height}" viewBox="{-PADDING - before:.0f} -{PADDING} {width} {height}"'
    return f'<svg role="group" aria-label="{escape(label)}" {box}>{"".join(drawn)}</svg>'


def _places(steps: Sequence[DrawnStep], edges: Sequence[DiagramEdge]) -> "_Placed":
    gateways = frozenset(step.id for step in steps if step.type == "gateway")
    opened = tuple((step.id, _framed(step.fold.body)) for step in steps if step.fold and step.fold.body)
    return _placed(tuple(step.id for step in steps), gateways, tuple(edges), opened)


def _extent(steps: Sequence[DrawnStep], edges: Sequence[DiagramEdge]) -> tuple[float, float]:
    """Return the width and height of a drawing."""
    placed = _places(steps, edges)
    return placed.width + sum(_room_beside(steps, placed)), placed.height


def _framed(body: DrawnBody) -> tuple[float, float]:
    """Return the width and height of an open step."""
    width, height = _extent(body.steps, body.edges)
    return max(width + 2 * boxes.BORDER, SIZE.width), height + boxes.HEAD + boxes.BORDER


def _room_beside(steps: Sequence[DrawnStep], placed: "_Placed") -> tuple[float, float]:
    """Return the room that names of gateways take on the left and on the right of the places of steps."""
    named = [
        (placed.centres[step.id][0], len(step.name) * boxes.SMALL_LETTER / 2)
        for step in steps
        if step.type == "gateway"
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
def _placed(
    ids: tuple[str, ...],
    gateways: frozenset[str],
    edges: tuple[DiagramEdge, ...],
    opened: tuple[tuple[str, tuple[float, float]], ...],
) -> _Placed:
    found = place(ids, gateways, edges, SIZE, dict(opened))
    return _Placed(
        {id: found.centres[step_node(id)] for id in ids},
        [_line(chain, found) for chain in found.chains],
        found.width + 2 * PADDING,
        found.height + 2 * PADDING,
    )


def _line(chain: list[DiagramNode], placed: DiagramGeometry) -> _Line:
    x, y = placed.centres[chain[0]]
    path = [f"M{x + placed.halves[chain[0]]:.1f} {y:.1f}"]
    if placed.reaches[chain[0]] > placed.halves[chain[0]]:
        path.append(f"H{x + placed.reaches[chain[0]]:.1f}")
    x += placed.reaches[chain[0]]
    for node in chain[1:]:
        last = node is chain[-1]
        (middle, to), half, reach = placed.centres[node], placed.halves[node], placed.reaches[node]
        tip = TIP if last and reach == half else 0.0
        edge = middle - reach - tip
        bend = (edge - x) / 2
        path.append(f"C{x + bend:.1f} {y:.1f} {edge - bend:.1f} {to:.1f} {edge:.1f} {to:.1f}")
        x, y = edge, to
        if not last:
            path.append(f"H{middle + reach:.1f}")
            x = middle + reach
        elif reach > half:
            x = middle - half - TIP
            path.append(f"H{x:.1f}")
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
    if step.fold is not None and step.fold.body is not None:
        inner = boxes.frame(step, x, y, *_framed(step.fold.body))
    else:
        inner = boxes.gateway(step, x, y) if step.type == "gateway" else boxes.box(step, x, y)
    if step.href:
        return f'<a class="{classes}" href="{escape(step.href)}">{inner}</a>'
    return f'<g class="{classes}">{inner}</g>'


def _beside(step: DrawnStep, x: float, y: float) -> str:
    """Return what stands in the box of a step that holds others: these, and the link that opens or closes it."""
    fold = step.fold
    assert fold is not None
    width, height = (SIZE.width, SIZE.height) if fold.body is None else _framed(fold.body)
    right, top = x + width / 2 - 3, y - height / 2
    link = (
        ""
        if not fold.href
        else boxes.sign(fold, right, top + height - boxes.SIGN - 3 if fold.body is None else top + 5)
    )
    if fold.body is None:
        return link
    inner, _ = _extent(fold.body.steps, fold.body.edges)
    corner = x - inner / 2, top + boxes.HEAD
    return link + _drawing(fold.body.steps, fold.body.edges, fold.body.label, corner=corner)
