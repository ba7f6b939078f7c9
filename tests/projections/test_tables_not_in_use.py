"""Tables that are not in use: one process at a time works on them, and nothing is switched to that is not built."""

import pytest
from psycopg.errors import UndefinedColumn

from projections.building import RebuildRunning
from projections.differing import diff
from projections.locks import REBUILD_LOCK, lock_key
from projections.rebuilding import build, build_and_switch, drop, promote, rollback
from projections.switching import NothingToSwitchTo
from tests.projections.releases import LIST, Before, columns, position, quiet, rows


def test_there_must_be_something_to_switch_to(projected):
    for act in (promote, diff, rollback):
        with pytest.raises(NothingToSwitchTo, match="execution_list"):
            act(projected, LIST, quiet)
    build(projected, Before(), quiet)
    with pytest.raises(NothingToSwitchTo, match="of another release"):
        promote(projected, LIST, quiet)


def test_what_one_process_builds_no_other_touches(projected):
    with projected.connect() as other:
        other.execute("select pg_advisory_lock(%s, %s)", (REBUILD_LOCK, lock_key("execution_list")))
        for act in (build, build_and_switch, promote, rollback, diff):
            with pytest.raises(RebuildRunning, match="execution_list"):
                act(projected, LIST, quiet)


def test_tables_that_are_not_in_use_are_dropped_by_the_next_build_or_by_hand(projected):
    build_and_switch(projected, LIST, quiet)
    assert columns(projected, "previous")
    build(projected, LIST, quiet)
    assert not columns(projected, "previous")
    assert drop(projected, LIST, dry_run=True) == ["building"]
    assert columns(projected, "building")
    assert drop(projected, LIST) == ["building"]
    assert not columns(projected, "building")
    assert drop(projected, LIST) == []


def test_a_build_that_was_interrupted_between_its_indexes_creates_the_rest(projected):
    indexes = "select indexname as name from pg_indexes where schemaname = 'building' order by 1"
    build(projected, LIST, quiet)
    before = rows(projected, indexes)
    with projected.reading() as connection:
        connection.execute("drop index building.execution_list_status_idx, building.execution_list_waits_kind_idx")
        connection.execute("update read_table_builds set indexed = false")
    build(projected, LIST, quiet, resume=True)
    assert rows(projected, indexes) == before
    assert promote(projected, LIST, quiet).position == position(projected)


def test_an_index_that_cannot_be_created_ends_a_build_that_can_be_tried_again(projected):
    class Broken(Before):
        indexes = (*Before.indexes[:2], "create index execution_list_none_idx on execution_list (none)")

    for _ in range(2):
        with pytest.raises(UndefinedColumn, match="none"):
            build(projected, Broken(), quiet, resume=True)
    with pytest.raises(NothingToSwitchTo, match="no tables"):
        promote(projected, LIST, quiet)
    assert build(projected, LIST, quiet).events == position(projected)
