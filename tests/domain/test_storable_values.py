"""Values from outside that storage would change: each is found, with its place, whatever stands beside it."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jsonvalue import LARGEST_INTEGER, MAX_DEPTH, MOST_PROBLEMS, SMALLEST_INTEGER, storable_problems

TEXTS = st.text(alphabet=st.sampled_from("aé\0\ud800\udfff"), max_size=3)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, LARGEST_INTEGER, LARGEST_INTEGER + 1, SMALLEST_INTEGER, SMALLEST_INTEGER - 1]),
    st.sampled_from([0.5, math.inf, -math.inf, math.nan]),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)


def wrong(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the code and the place of every part that storage would not keep."""
    if isinstance(value, str):
        yield from (("nul_character", path) for _ in "x" if "\0" in value)
        yield from (("lone_surrogate", path) for _ in "x" if any("\ud800" <= each <= "\udfff" for each in value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from wrong(key, path, depth)
            yield from wrong(inner, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from wrong(inner, f"{path}[{at}]", depth + 1)
    elif isinstance(value, int | float) and not (math.isfinite(value) and -(2**63) <= value < 2**63):
        yield "number_out_of_range", path


@given(VALUES)
def test_every_part_that_would_change_is_found_with_its_place(value: Any) -> None:
    expected = sorted((code, place.removeprefix(".")) for code, place in wrong(value))
    assert sorted((each.code, each.path) for each in storable_problems(value)) == expected[:MOST_PROBLEMS]


@pytest.mark.parametrize("leaf", [1, "x", None, [], {}, 0.5])
@pytest.mark.parametrize("inside", [lambda held: [held], lambda held: {"a": held}])
def test_the_deepest_level_is_kept_and_one_below_it_is_not(leaf: Any, inside: Any) -> None:
    value = leaf
    for _ in range(MAX_DEPTH):
        value = inside(value)
    assert storable_problems(value) == []
    assert [each.code for each in storable_problems(inside(value))] == ["too_deep"]
    assert [each.code for each in storable_problems([inside(value), "\0"])] == ["nul_character", "too_deep"]


def test_halves_in_two_texts_are_no_pair() -> None:
    found = storable_problems(["\ud83d", "\ude00"])
    assert sorted(each.path for each in found) == ["[0]", "[1]"]


def test_problems_are_bounded() -> None:
    assert len(storable_problems(["\0"] * 3 * MOST_PROBLEMS)) == MOST_PROBLEMS
