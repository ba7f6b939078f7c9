"""Cursors: they come back as they were given out, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.paging import LARGEST, BadCursor, page_of, read_cursor, read_position, write_cursor
from queries.reading import Freshness


@given(st.integers(0, LARGEST))
def test_a_position_comes_back_from_its_cursor(position: int) -> None:
    assert read_position("x", write_cursor("x", position), 0) == position


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=64))
def test_a_key_comes_back_from_its_cursor(key: str) -> None:
    assert read_cursor("p", write_cursor("p", key)) == key


@given(st.text(max_size=40))
def test_whatever_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        read_position("no such list", text, 0)


def test_a_cursor_belongs_to_its_list() -> None:
    with pytest.raises(BadCursor):
        read_cursor("p", write_cursor("a", "name"))
    with pytest.raises(BadCursor):
        read_position("x", write_cursor("x", LARGEST + 1), 0)
    with pytest.raises(BadCursor):
        read_position("x", write_cursor("x", "²"), 0)


@given(st.lists(st.integers(), max_size=12), st.integers(1, 12))
def test_a_page_goes_on_exactly_when_there_is_more(rows: list[int], limit: int) -> None:
    page = page_of(rows[: limit + 1], limit, Freshness(0, 0.0), lambda row: write_cursor("x", row))
    assert page.items == rows[:limit]
    assert (page.next_cursor is not None) == (len(rows) > limit)
