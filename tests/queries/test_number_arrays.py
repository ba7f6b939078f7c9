"""Arrays of whole numbers that numpy reads from the wire format have the numbers that the server has."""

from hypothesis import given
from hypothesis import strategies as st

from queries.analytics.number_arrays import load_numbers

INTS = st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=9)
BIGINTS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9)


@given(INTS, BIGINTS)
def test_numbers_of_arrays_are_those_of_the_server(datastore, ints, bigints):
    with datastore.reading() as connection, connection.cursor(binary=True) as cursor:
        load_numbers(cursor)
        row = cursor.execute("select %s::int[] as ints, %s::bigint[] as bigints", (ints, bigints)).fetchone()
        assert [row["ints"].tolist(), row["bigints"].tolist()] == [ints, bigints]
