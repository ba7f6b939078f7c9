"""A row class says what a read table is: its columns, and how what a page states joins what earlier pages stated."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import tuple_row

from projections.table import Table, always, first, fixed, key, latest, replaced, since, total
from projections.upserts import Upserts

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Row(msgspec.Struct, kw_only=True):
    id: Annotated[int, key("int not null")]
    born: Annotated[str, fixed("text")] = "born"
    seen: Annotated[int, always("int")]
    early: Annotated[str | None, first("text")] = None
    late: Annotated[str | None, latest("text")] = None
    given: Annotated[str | None, replaced("text")] = None
    again: Annotated[datetime | None, latest("timestamptz")] = None
    error: Annotated[str | None, since("text", "again")] = None
    names: Annotated[list[str] | None, latest("json")] = None
    used: Annotated[int, total("bigint")] = 0
    amount: Annotated[Decimal, total("numeric")] = Decimal(0)


TABLE = Table("stated", Row, "fillfactor = 70")


def after(connection: Any, *pages: list[Row]) -> list[tuple[Any, ...]]:
    connection.execute("drop table if exists stated")
    connection.execute(TABLE.ddl)
    for page in pages:
        TABLE.write(connection, page)
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute("select * from stated order by id").fetchall()
    return list(found)


def test_a_row_class_gives_the_columns_in_its_order():
    assert TABLE.ddl.splitlines()[:4] == [
        "create table stated (",
        "  id int not null,",
        "  born text,",
        "  seen int not null,",
    ]
    assert TABLE.ddl.splitlines()[-2:] == ["  primary key (id)", ") with (fillfactor = 70);"]


def test_a_later_page_joins_an_earlier_one_as_each_column_says(read_tables):
    before = Row(id=1, seen=1, early="a", late="a", given="a", error="a", names=["a"], used=1, amount=Decimal("0.1"))
    later = Row(id=1, born="again", seen=2, early="b", late="b", error=None, used=2, amount=Decimal("0.2"))
    retried = Row(id=1, seen=3, again=AT)
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        assert after(connection, [before], [later]) == [
            (1, "born", 2, "a", "b", None, None, "a", ["a"], 3, Decimal("0.3"))
        ]
        assert after(connection, [before], [retried]) == [
            (1, "born", 3, "a", "a", None, AT, None, ["a"], 1, Decimal("0.1"))
        ]


def test_an_update_changes_only_rows_that_are_there_and_only_the_columns_it_names(read_tables):
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        after(connection, [Row(id=1, seen=1, late="a", given="a")])
        TABLE.update(connection, [Row(id=n, seen=2, late="b", given="b") for n in (1, 2)], "late", "seen")
        found = connection.execute("select id, seen, late, given from stated").fetchall()
    assert found == [{"id": 1, "seen": 2, "late": "b", "given": "a"}]


@settings(max_examples=30)
@given(totals=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=5))
def test_totals_add_up_whatever_the_pages(read_tables, totals):
    pages = [[Row(id=1, seen=1, used=n, amount=Decimal(n).scaleb(-12))] for n in totals]
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        found = after(connection, *pages)
    assert found[0][-2:] == (sum(totals), Decimal(sum(totals)).scaleb(-12))


texts = st.sampled_from([None, None, "x", "y"])
rows = st.builds(
    Row,
    id=st.integers(1, 3),
    seen=st.integers(1, 9),
    early=texts,
    late=texts,
    given=texts,
    again=st.sampled_from([None, None, AT, AT + timedelta(days=1)]),
    error=texts,
    names=st.sampled_from([None, ["a"], ["b"]]),
    used=st.sampled_from([0, 0, 5]),
    amount=st.sampled_from([Decimal(0), Decimal("0.1")]),
)


def joined(row: Row, page: Row) -> Row:
    """What each column says of its values, in Python."""
    return Row(
        id=row.id,
        born=row.born,
        seen=page.seen,
        early=page.early if row.early is None else row.early,
        late=row.late if page.late is None else page.late,
        given=page.given,
        again=row.again if page.again is None else page.again,
        error=page.error if page.again is not None or page.error is not None else row.error,
        names=row.names if page.names is None else page.names,
        used=row.used + page.used,
        amount=row.amount + page.amount,
    )


@settings(max_examples=100)
@given(pages=st.lists(st.lists(rows, min_size=1, max_size=3, unique_by=lambda row: row.id), min_size=1, max_size=4))
def test_a_column_joins_as_it_says_whichever_columns_a_page_leaves_empty(read_tables, pages):
    expected: dict[int, Row] = {}
    for row in (row for page in pages for row in page):
        expected[row.id] = joined(expected[row.id], row) if row.id in expected else row
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        assert after(connection, *pages) == [msgspec.structs.astuple(expected[id]) for id in sorted(expected)]


def test_a_statement_leaves_out_the_columns_without_a_value():
    upserts = Upserts("stated", "id", [("id", key("int")), ("late", latest("text")), ("used", total("bigint"))])
    statement, taken = upserts.choose([[1, 2], [None, None], [0, 0]])
    assert taken == [0]
    assert " ".join(statement.split()) == (
        "insert into stated as t (id, used) select unnest(%b), 0 on conflict (id) do nothing"
    )
    assert upserts.choose([[1, 2], [None, "a"], [0, 5]])[1] == [0, 1, 2]


def test_a_field_that_says_no_column_is_refused():
    class Bare(msgspec.Struct):
        id: Annotated[int, key("int")]
        other: int

    with pytest.raises(TypeError, match=r"Bare\.other does not say what column it is"):
        Table("bare", Bare)
