"""The places of a process's steps on a diagram: ranks by longest path, few crossings, heights near their neighbours."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import msgspec

SWEEPS = 10
HEIGHT_SWEEPS = 14
BEND_HEIGHT = 14.0

DiagramEdge = tuple[str, str]
DiagramNode = tuple[str, str, int]
"""A step as (id, "", 0), or a bend of an edge that passes a rank: (from, to, rank)."""


class Size(msgspec.Struct, frozen=True):
    """The size of a step and the space between steps, in pixels. gate: the width of a gateway."""

    width: float = 148.0
    height: float = 58.0
    across: float = 34.0
    down: float = 16.0
    gate: float = 40.0


Opened = Mapping[str, tuple[float, float]]
"""The width and height of each step that shows the steps inside it, in pixels."""
NONE_OPEN: Opened = MappingProxyType({})


class DiagramGeometry(msgspec.Struct, frozen=True):
    """A diagram's geometry. centres: of nodes; halves: half their widths; chains: the nodes of each edge, in order.

    reaches: how far from the middle of a node its edges run level, so that they pass no open step of its column.
    """

    centres: dict[DiagramNode, tuple[float, float]]
    halves: dict[DiagramNode, float]
    reaches: dict[DiagramNode, float]
    chains: list[list[DiagramNode]]
    width: float
    height: float


def step_node(id: str) -> DiagramNode:
    """Return the node of a step."""
    return id, "", 0


def place(
    ids: Sequence[str],
    gateways: frozenset[str],
    edges: Sequence[DiagramEdge],
    size: Size,
    opened: Opened = NONE_OPEN,
) -> DiagramGeometry:
    """Return the places of the steps `ids`, from left to right. gateways: the steps that are drawn as diamonds."""
    ranks = _ranks(ids, edges)
    columns: list[list[DiagramNode]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for id in ids:
        columns[ranks[id]].append(step_node(id))
    before, after, chains = _chains(edges, ranks, columns)
    _uncross(columns, before, after)
    heights = {node: _height(node, gateways, size, opened) for column in columns for node in column}
    middles = _middles(columns, before, after, heights, size)
    top = min((middles[node] - heights[node] / 2 for node in middles), default=0.0)
    centres, halves, reaches, x = {}, {}, {}, 0.0
    for column in columns:
        widths = {node: _width(node[0], gateways, size, opened) for node in column if not node[1]}
        width = max(widths.values(), default=size.width)
        holds = any(node[0] in opened for node in widths)
        for node in column:
            centres[node] = (x + width / 2, middles[node] - top)
            halves[node] = widths.get(node, width) / 2
            reaches[node] = width / 2 if holds else halves[node]
        x += width + size.across
    bottom = max((middles[node] + heights[node] / 2 for node in middles), default=0.0)
    return DiagramGeometry(centres, halves, reaches, chains, x - size.across, bottom - top)


def _ranks(ids: Sequence[str], edges: Sequence[DiagramEdge]) -> dict[str, int]:
    """Return the length of the longest way to each step; each edge is followed once."""
    ranks, waiting = dict.fromkeys(ids, 0), dict.fromkeys(ids, 0)
    following: dict[str, list[str]] = {id: [] for id in ids}
    for one, other in edges:
        following[one].append(other)
        waiting[other] += 1
    ready = [id for id in ids if not waiting[id]]
    for id in ready:
        for other in following[id]:
            ranks[other] = max(ranks[other], ranks[id] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return ranks


Neighbours = dict[DiagramNode, list[DiagramNode]]


def _chains(
    edges: Sequence[DiagramEdge], ranks: dict[str, int], columns: list[list[DiagramNode]]
) -> tuple[Neighbours, Neighbours, list[list[DiagramNode]]]:
    before: Neighbours = {}
    after: Neighbours = {}
    chains = []
    for one, other in edges:
        bends: list[DiagramNode] = [(one, other, rank) for rank in range(ranks[one] + 1, ranks[other])]
        for bend in bends:
            columns[bend[2]].append(bend)
        chain = [step_node(one), *bends, step_node(other)]
        for left, right in pairwise(chain):
            after.setdefault(left, []).append(right)
            before.setdefault(right, []).append(left)
        chains.append(chain)
    return before, after, chains


def _uncross(columns: list[list[DiagramNode]], before: Neighbours, after: Neighbours) -> None:
    """Order each column by the mean places of its neighbours, sweeping to and fro."""
    places = {node: place for column in columns for place, node in enumerate(column)}

    def mean(node: DiagramNode, near: Neighbours) -> tuple[float, int]:
        others = near.get(node)
        return (sum(map(places.__getitem__, others)) / len(others) if others else places[node]), places[node]

    for sweep in range(SWEEPS):
        near = after if sweep % 2 else before
        for column in reversed(columns) if sweep % 2 else columns:
            keys = {node: mean(node, near) for node in column}
            column.sort(key=keys.__getitem__)
            places.update((node, place) for place, node in enumerate(column))


def _middles(
    columns: list[list[DiagramNode]],
    before: Neighbours,
    after: Neighbours,
    heights: dict[DiagramNode, float],
    size: Size,
) -> dict[DiagramNode, float]:
    step = size.height + size.down
    middles = {node: place * step for column in columns for place, node in enumerate(column)}
    for sweep in range(HEIGHT_SWEEPS):
        near = after if sweep % 2 else before
        for column in reversed(columns) if sweep % 2 else columns:
            wanted = [_median([middles[other] for other in near.get(node, ())], middles[node]) for node in column]
            gaps = [(heights[one] + heights[other]) / 2 + size.down for one, other in pairwise(column)]
            middles.update(zip(column, _spread(wanted, gaps), strict=True))
    return middles


def _median(values: list[float], default: float) -> float:
    if not values:
        return default
    values.sort()
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _spread(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Return the places nearest to `wanted`, by least squares, that keep the gaps: pool adjacent violators."""
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []
    for target, offset in zip(wanted, offsets, strict=True):
        value, count = target - offset, 1
        while blocks and blocks[-1][0] > value:
            other, many = blocks.pop()
            value, count = (other * many + value * count) / (many + count), many + count
        blocks.append((value, count))
    levels = [value for value, count in blocks for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _width(id: str, gateways: frozenset[str], size: Size, opened: Opened) -> float:
    if id in opened:
        return opened[id][0]
    return size.gate if id in gateways else size.width


def _height(node: DiagramNode, gateways: frozenset[str], size: Size, opened: Opened) -> float:
    if node[1]:
        return BEND_HEIGHT
    if node[0] in opened:
        return opened[node[0]][1]
    return size.gate + 18 if node[0] in gateways else size.height
