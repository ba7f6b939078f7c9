"""The shape of a process, small and without words, for a card: decoration beside its name."""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from web.drawings.ranks import DiagramEdge, DiagramGeometry, DiagramNode, Size, place, step_node

SMALL = Size(width=44.0, height=18.0, across=18.0, down=8.0, gate=18.0)
MARGIN = 2
MOST_STEPS = 60

ShapedStep = tuple[str, str]
"""The id and the type of a step."""


@lru_cache(256)
def thumb(steps: tuple[ShapedStep, ...], edges: tuple[DiagramEdge, ...]) -> Markup:
    """Return the drawing, hidden from screen readers; of a long process the first MOST_STEPS steps."""
    drawn = steps[:MOST_STEPS]
    known = {id for id, _ in drawn}
    lines = [edge for edge in edges if edge[0] in known and edge[1] in known]
    gateways = frozenset(id for id, type in drawn if type == "gateway")
    placed = place([id for id, _ in drawn], gateways, lines, SMALL)
    parts = [f'<path class="ed" d="{_line(chain, placed)}"/>' for chain in placed.chains]
    parts += [_step(type, *placed.centres[step_node(id)]) for id, type in drawn]
    width, height = f"{placed.width + 2 * MARGIN:.0f}", f"{placed.height + 2 * MARGIN:.0f}"
    box = f'width="{width}" height="{height}" viewBox="-{MARGIN} -{MARGIN} {width} {height}"'
    # Numbers alone: no text of anybody stands in it.
    return Markup(f'<svg aria-hidden="true" {box}>{"".join(parts)}</svg>')  # noqa: S704


def _line(chain: Sequence[DiagramNode], placed: DiagramGeometry) -> str:
    x, y = placed.centres[chain[0]]
    x += placed.halves[chain[0]]
    path = [f"M{x:.1f} {y:.1f}"]
    for node in chain[1:]:
        (middle, to), half = placed.centres[node], placed.halves[node]
        bend = (middle - half - x) / 2
        path.append(f"C{x + bend:.1f} {y:.1f} {x + bend:.1f} {to:.1f} {middle - half:.1f} {to:.1f}")
        if node is not chain[-1]:
            path.append(f"H{middle + half:.1f}")
        x, y = middle + half, to
    return "".join(path)


def _step(type: str, x: float, y: float) -> str:
    if type == "gateway":
        half = SMALL.gate / 2
        return f'<path class="box" d="M{x:.1f} {y - half:.1f}l{half} {half}l-{half} {half}l-{half} -{half}z"/>'
    left, top = x - SMALL.width / 2, y - SMALL.height / 2
    radius = SMALL.height / 2 if type == "timer" else 4
    return (
        f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{SMALL.width}" height="{SMALL.height}" rx="{radius}"/>'
    )
