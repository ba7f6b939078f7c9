"""The laws of a summary: valid and bounded JSON whatever came out, the same each time, and marked."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inbox.summary import MOST_BYTES, summarise

# Halves of surrogate pairs, too: agents send what they like.
TEXTS = st.text(st.characters(codec=None, categories=None), max_size=300) | st.text('"\\\0\n<é😀\ud800', max_size=3_000)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXTS, inner, max_size=30), max_leaves=80
)


@given(DOCUMENTS)
def test_a_summary_is_valid_bounded_json_and_the_same_each_time(document: Any) -> None:
    summary = summarise(document)
    written = msgspec.json.encode(summary)
    assert len(written) <= MOST_BYTES
    written.decode("utf-8")
    json.loads(summary.text)
    assert summary.untrusted
    assert summarise(document) == summary


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab<", max_size=9), st.lists, max_leaves=9)
)
def test_a_small_document_is_whole(document: Any) -> None:
    summary = summarise(document)
    assert (json.loads(summary.text), summary.truncated) == (document, False)


@pytest.mark.parametrize(
    ("document", "begins"),
    [
        ("x" * 10_000_000, '"xxx'),
        ({"a": 1, "text": "é" * 10_000_000, "z": "</script>"}, '{"a":1,"text":"é'),
        ([{"n": n} for n in range(100_000)], '[{"n":0},{"n":1}'),
        ({str(n): n for n in range(100_000)}, '{"0":0,"1":1'),
        ("\\" * 4_000, '"\\\\'),
        (10**5_000, '""'),
        (float("nan"), '""'),
    ],
    ids=["text", "object", "list", "members", "escapes", "number", "no number"],
)
def test_what_is_cut_is_marked_and_begins_as_the_document_does(document: Any, begins: str) -> None:
    summary = summarise(document)
    assert summary.truncated
    assert summary.text.startswith(begins)


def test_a_long_member_leaves_room_for_those_after_it() -> None:
    read = json.loads(summarise({"long": "x" * 9_000, "verdict": "refused", "n": 7}).text)
    assert (read["verdict"], read["n"]) == ("refused", 7)
    assert len(read["long"]) > 1_500


def test_a_document_within_documents_ends() -> None:
    nested: Any = "deep"
    for _ in range(900):
        nested = [nested]
    assert summarise(nested).truncated


def test_a_large_result_is_a_reference_and_shows_its_size() -> None:
    reference = {"execution": "e", "digest": "d", "bytes": 9, "seal": "s"}
    summary = summarise({"$large_result": reference})
    assert (summary.text, summary.truncated) == ('{"bytes":9}', True)
