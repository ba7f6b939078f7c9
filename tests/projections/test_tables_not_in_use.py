"""Tables that are not in use: one process at a time works on them, and nothing is switched to that is not built."""

import pytest

from projections.building import RebuildRunning
from projections.differing import diff
from projections.locks import REBUILD_LOCK, lock_key
from projections.rebuilding import build, build_and_switch, drop, promote, rollback
from projections.switching import NothingToSwitchTo
from tests.projections.releases import LIST, Before, columns, quiet


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
