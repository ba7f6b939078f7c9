"""Spans of positions: union and difference are those of the sets of positions."""

from hypothesis import given
from hypothesis import strategies as st

from queries.inbox.spans import PositionSpan, union, without

SPANS = st.lists(st.tuples(st.integers(-1, 30), st.integers(0, 8)).map(lambda each: (each[0], each[0] + each[1])))


def positions(spans: list[PositionSpan]) -> set[int]:
    return {position for lo, hi in spans for position in range(lo + 1, hi)}


@given(SPANS, SPANS)
def test_spans_are_sets_of_positions(spans: list[PositionSpan], taken: list[PositionSpan]) -> None:
    assert positions(union(spans)) == positions(spans)
    left = without(spans, taken)
    assert positions(left) == positions(spans) - positions(taken)
    assert all(hi - lo >= 2 for lo, hi in left)
