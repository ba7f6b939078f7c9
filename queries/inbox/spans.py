"""Spans of positions: pairs (lo, hi) of which both ends are outside."""

from collections.abc import Iterable, Sequence

PositionSpan = tuple[int, int]


def union(spans: Iterable[PositionSpan]) -> list[PositionSpan]:
    """Return spans that hold the same positions and do not overlap, in order."""
    found: list[PositionSpan] = []
    for lo, hi in sorted(spans):
        if found and lo < found[-1][1]:
            found[-1] = (found[-1][0], max(hi, found[-1][1]))
        else:
            found.append((lo, hi))
    return found


def without(spans: Sequence[PositionSpan], taken: Iterable[PositionSpan]) -> list[PositionSpan]:
    """Return spans that hold the positions of `spans` that are in none of `taken`."""
    left = [(lo, hi) for lo, hi in spans if hi - lo >= 2]
    for begin, end in union(taken):
        parts = [part for lo, hi in left for part in ((lo, min(hi, begin + 1)), (max(lo, end - 1), hi))]
        left = [(lo, hi) for lo, hi in parts if hi - lo >= 2]
    return left
