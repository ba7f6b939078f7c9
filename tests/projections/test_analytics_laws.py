"""Analytics equal a slow recomputation from the log, whatever the pages of the projector and the measures it keeps."""

import math
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from domain.analytics.grains import ALL_GRAINS, minutes_of
from domain.analytics.sketch import ERROR, quantile, unpack
from projections.analytics import TABLES, AnalyticsProjection, measured
from projections.analytics.rows import TREE_COSTS
from projections.facts import read_facts
from tests.histories import record
from tests.projections.measured_stories import MeasuredStory
from tests.projections.slow_analytics import expected_rows

PROJECTION = AnalyticsProjection()
APPEND = """insert into stored_events (notification_id, originator_id, originator_version, topic, state)
values (%s, encode(%s, 'hex')::uuid, %s, %s, %s)"""
PARTS = (0.0, 0.25, 0.5, 0.95, 1.0)


@contextmanager
def logged(read_tables, rows):
    """Within a transaction that leaves nothing behind, a log of these rows."""
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        with connection.cursor() as cursor:
            cursor.executemany(APPEND, rows)
        yield connection


def project(connection, rows, ends=(), forgetful=()):
    """Project pages that end at `ends`; before some, forget what was measured."""
    for number, (begin, end) in enumerate(zip([0, *ends], [*ends, len(rows)], strict=True)):
        if number in forgetful:
            measured.measures_of(connection).forget()
        PROJECTION.write(connection, PROJECTION.fold(read_facts(rows[begin:end], PROJECTION.handlers, connection)))


def found_rows(connection, minutes):
    """The rows of each table in one grain: by key, the columns that are not part of it."""
    tables = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for table in TABLES:
            if table is not TREE_COSTS:
                rows = cursor.execute(f"select * from {table.name} where grain = %s", (minutes,)).fetchall()
                tables[table.name] = {
                    tuple(row[name] for name in table.keys): {name: row[name] for name in table.values} for row in rows
                }
    return tables


def require_equal(found, expected):
    """Sums are equal; a sketch has as many values as there are, and their quantiles."""
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        for name, value in row.items():
            if not isinstance(value, list):
                assert found[key][name] == value, (key, name)
                continue
            buckets = unpack(bytes(found[key][name]))
            assert sum(buckets.values()) == len(value)
            for part in PARTS if value else ():
                exact = float(sorted(value)[max(1, math.ceil(part * len(value))) - 1])
                assert quantile(buckets, part) == pytest.approx(exact, rel=ERROR, abs=0), (key, name, part)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), events=st.integers(1, 220), data=st.data())
def test_figures_equal_a_slow_recomputation_however_the_log_is_read(read_tables, as_rows, rows_of, seed, events, data):
    happened = MeasuredStory(seed, events).happened
    rows = as_rows(happened)
    with logged(read_tables, rows) as connection:
        with connection.transaction(force_rollback=True):
            project(connection, rows)
            at_once = rows_of(connection, PROJECTION)
            for minutes in map(minutes_of, ALL_GRAINS):
                found, expected = found_rows(connection, minutes), expected_rows(happened, minutes)
                for table, present in found.items():
                    left = expected.get(table, {})
                    if table in ("analytics_spending", "analytics_spent", "analytics_agent_spending"):
                        present = {key: row for key, row in present.items() if row["amount"]}
                        left = {key: row for key, row in left.items() if row["amount"]}
                    require_equal(present, left)
        ends = sorted(data.draw(st.sets(st.integers(1, len(rows)), max_size=40)))
        forgetful = data.draw(st.sets(st.integers(0, len(ends))))
        with connection.transaction(force_rollback=True), pytest.MonkeyPatch.context() as patch:
            patch.setattr(measured, "KEPT", data.draw(st.sampled_from([0, 1, 2, 20_000])))
            project(connection, rows, ends, forgetful)
            assert rows_of(connection, PROJECTION) == at_once


@pytest.mark.parametrize("ends", [(), (2,)])
def test_an_execution_of_which_the_log_lacks_the_start_counts_nowhere(read_tables, ends):
    rows = [
        (n, row.stream.bytes, row.version, row.topic, row.state.encode())
        for n, row in enumerate(record.rows("execution-approved"), 1)
    ]
    assert rows[0][3] == measured.STARTED
    with logged(read_tables, rows[1:]) as connection:
        project(connection, rows[1:], ends)
        assert [connection.execute(f"select from {table.name}").rowcount for table in TABLES] == [0] * len(TABLES)
