"""Laws of masking: no sensitive scalar of four characters or more is left in a masked value."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.masking import MASK, MAX_VALUES, SHORTEST, Secrets, masked_at

texts = st.text(min_size=1, max_size=12)
secret = st.one_of(texts, st.integers(1_000, 10**9), st.floats(1_000, 10**6, allow_nan=False))
documents = st.recursive(
    st.one_of(secret, st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def scalars(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in (name, *scalars(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in scalars(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def hidden(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in hidden(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in hidden(inner)]
    return [str(value)] if isinstance(value, str | int | float) and not isinstance(value, bool) else []


@given(documents, st.lists(texts, min_size=2, max_size=2), st.data())
def test_no_sensitive_scalar_is_left_wherever_it_was_copied(value: Any, around: list[str], data: Any) -> None:
    secrets = Secrets()
    secrets.collect({"it": value}, [("it",)])
    known = [each for each in hidden(value) if len(each) >= SHORTEST and MASK not in each]
    copied = data.draw(st.sampled_from(known or ["none"]))
    view = {
        "message": around[0] + copied + around[1],
        "upper": copied.upper() if copied.upper().lower() == copied.lower() else copied,
        "json": json.dumps({"all": value}),
        "twice": json.dumps({"all": json.dumps(value)}),
        "deep": [{"copy": value, copied: 1}],
    }
    left = scalars(secrets.masked(view))
    assert not [each for each in known if any(each.lower() in text.lower() for text in left)]


@given(documents)
def test_a_path_hides_the_whole_value_and_leaves_its_neighbours(value: Any) -> None:
    document = {"it": value, "other": [{"in": value}, 5]}
    assert masked_at(document, [("it",), ("other", "*", "in")]) == {"it": MASK, "other": [{"in": MASK}, 5]}


def test_more_values_than_are_compared_mask_every_text() -> None:
    secrets = Secrets()
    secrets.collect([f"value {n}" for n in range(MAX_VALUES + 1)], [()])
    assert secrets.whole
    assert secrets.masked({"code": "a", "free": ["text", 3, None]}) == {"code": MASK, MASK: [MASK, MASK, None]}
