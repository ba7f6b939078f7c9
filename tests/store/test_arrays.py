"""Arrays in wire format: the server reads what was meant, NULLs included."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import arrays

TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
KINDS = {
    "uuid": (arrays.uuids, st.uuids()),
    "bigint": (arrays.bigints, st.integers(-(2**63), 2**63 - 1)),
    "int": (arrays.ints, st.integers(-(2**31), 2**31 - 1)),
    "bool": (arrays.bools, st.booleans()),
    "text": (arrays.texts, TEXT),
    "bytea": (arrays.byteas, st.binary()),
    "timestamptz": (arrays.timestamptzs, TIMES),
}


@pytest.fixture
def connection(datastore):
    """Open before values are drawn: opening one is where a pool uses chance, which hypothesis must not see."""
    with datastore.reading() as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_the_server_reads_what_was_sent(connection, kind, data):
    build, values = KINDS[kind]
    sent = data.draw(st.lists(values) | st.lists(st.none() | values))
    row = connection.execute(f"select %b::{kind}[] as got", (build(sent),), binary=True).fetchone()
    assert row is not None
    assert row["got"] == sent


def test_json_is_kept_as_it_was_written_and_null_is_not_json_null(connection):
    sent = [b'{"a" : 1.50}', None, b"null", b'"\\u0000"']
    query = "select t::text as t from unnest(%b::json[]) as x(t)"
    rows = connection.execute(query, (arrays.jsons(sent),)).fetchall()
    assert [row["t"] for row in rows] == ['{"a" : 1.50}', None, "null", '"\\u0000"']


@pytest.mark.parametrize("missing", [[], [None]])
def test_long_values_stand_beside_short_ones(connection, missing):
    texts = ["", "é" * 5_000, "a" * 4_095, "b" * 4_096, *missing]
    sent = [None if text is None else text.encode() for text in texts]
    query = "select %b::text[] as texts, %b::bytea[] as bytes"
    row = connection.execute(query, (arrays.texts(texts), arrays.byteas(sent)), binary=True).fetchone()
    assert row == {"texts": texts, "bytes": sent}


def test_ids_may_be_given_as_bytes(connection):
    query = "select %b::uuid[] as got"
    row = connection.execute(query, (arrays.uuid_bytes([UUID(int=1).bytes, None]),)).fetchone()
    assert row is not None
    assert row["got"] == [UUID(int=1), None]


def test_times_of_other_zones_are_the_same_instant(connection):
    there = datetime(2026, 7, 1, 1, 0, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    row = connection.execute("select %b::timestamptz[] as got", (arrays.timestamptzs([there]),)).fetchone()
    assert row is not None
    assert row["got"] == [there]


@pytest.mark.parametrize("values", [[2**63], [None, 2**63]])
def test_a_number_that_does_not_fit_is_an_error(values):
    with pytest.raises(struct.error):
        arrays.bigints(values)


def test_an_array_of_one_object_over_and_over_is_written_as_any_other(connection):
    owner, agent = UUID(int=7), "agent"
    arguments = arrays.uuids([owner] * 3), arrays.texts([agent] * 3), arrays.uuids([None] * 2), arrays.texts([None] * 2)
    row = connection.execute("select %b as a, %b as b, %b as c, %b as d", arguments).fetchone()
    assert list(row.values()) == [[owner] * 3, [agent] * 3, [None] * 2, [None] * 2]
