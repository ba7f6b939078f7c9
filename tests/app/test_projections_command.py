"""`procession projections`: read models listed, rebuilt and proven from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.read_models import READ_MODELS, VERIFIABLE
from app.wiring import Wiring
from projections.locks import REBUILD_LOCK, lock_key

Run = Callable[..., Any]


@pytest.fixture
def busy(document: Run, hello: Path, working: Wiring) -> Wiring:
    """An installation in which an execution has ended and every read model has seen it."""
    ended = document("start", "hello", "--wait", "--timeout", "120s")
    working.progress.start()
    try:
        for projection in document("projections", "list")["items"]:
            assert working.progress.reached(projection["name"], ended["position"], 60)
    finally:
        working.progress.stop()
    return working


def test_read_models_are_listed_with_their_positions_and_are_as_the_log_says(document: Run, busy: Wiring) -> None:
    items = document("projections", "list")["items"]
    assert {item["name"] for item in items} >= {"execution_list", "execution_detail", "process_catalogue"}
    assert {item["position"] for item in items} == {busy.log.last_position()}
    verified = document("projections", "verify")["verified"]
    assert {each["name"] for each in verified} == {model.name for model in VERIFIABLE}
    assert [(each["differing"], each["parked"]) for each in verified] == [(0, 0)] * len(VERIFIABLE)


def test_a_row_that_was_tampered_with_is_found_and_mended(document: Run, busy: Wiring, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update execution_list set steps_done = 77")
    found = document("projections", "verify", "execution_list", code=1)["verified"][0]
    assert found["differing"] > 0
    assert found["samples"]
    assert document("projections", "rebuild", "execution_list", "--dry-run")["would_rebuild"] == ["execution_list"]
    assert document("projections", "verify", "execution_list", code=1)["verified"] == [found]
    rebuilt = document("projections", "rebuild", "execution_list")["rebuilt"]
    assert [(each["name"], each["events"]) for each in rebuilt] == [("execution_list", busy.log.last_position())]
    assert document("projections", "verify", "execution_list")["verified"][0]["differing"] == 0


def test_all_of_them_can_be_rebuilt(document: Run, busy: Wiring) -> None:
    rebuilt = document("projections", "rebuild", "--all")["rebuilt"]
    assert [each["name"] for each in rebuilt] == [model.name for model in READ_MODELS]


def test_tables_are_built_beside_compared_promoted_and_rolled_back(
    document: Run, procession: Run, busy: Wiring, database: str
) -> None:
    name, position = "execution_list", busy.log.last_position()

    def statuses(schema: str) -> set[str]:
        with psycopg.connect(database) as connection:
            return {row[0] for row in connection.execute(f"select status from {schema}.execution_list")}

    with psycopg.connect(database) as connection:
        connection.execute("update execution_list set status = 'tampered'")
    assert document("projections", "promote", name, "--dry-run", code=1)["error"]["code"] == "nothing_to_switch_to"
    assert document("projections", "build", name, "--dry-run") == {"would_build": name, "events": position}
    assert document("projections", "diff", name, code=1)["error"]["code"] == "nothing_to_switch_to"
    assert document("projections", "build", name)["events"] == position
    found = document("projections", "diff", name)
    assert (found["position"], found["tables"][0]["differing"]) == (position, 1)
    assert found["tables"][0]["samples"][0]["live"]["status"] == "tampered"
    assert "tampered" in procession("projections", "diff", name).stdout

    expected = {"name": name, "position": position, "other_shape": False}
    assert document("projections", "promote", name, "--dry-run") == {"would_promote": expected}
    assert (statuses("public"), statuses("building")) == ({"tampered"}, {"completed"})
    assert document("projections", "promote", name) == expected
    assert (statuses("public"), statuses("previous")) == ({"completed"}, {"tampered"})
    assert document("projections", "rollback", name, "--dry-run") == {"would_roll_back": expected}
    assert statuses("public") == {"completed"}
    assert document("projections", "rollback", name) == expected
    assert (statuses("public"), statuses("previous")) == ({"tampered"}, {"completed"})
    assert document("projections", "rollback", name) == expected
    assert document("projections", "drop", name, "--dry-run") == {"name": name, "would_drop": ["previous"]}
    assert document("projections", "drop", name) == {"name": name, "dropped": ["previous"]}
    assert document("projections", "rollback", name, code=1)["error"]["code"] == "nothing_to_switch_to"
    assert document("projections", "verify", name)["verified"][0]["differing"] == 0


def test_a_build_in_progress_is_said(document: Run, busy: Wiring, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s, %s)", (REBUILD_LOCK, lock_key("execution_list")))
        for command in ("build", "promote", "rollback", "diff", "drop"):
            refused = document("projections", command, "execution_list", code=1)
            assert refused["error"]["code"] == "rebuild_running", command


def test_a_list_that_appends_keep_is_not_built_aside(document: Run, database: str) -> None:
    assert document("projections", "build", "due_steps", code=1)["error"]["code"] == "not_built_aside"


def test_migrate_names_the_read_models_that_a_projector_will_build(document: Run, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("update projections set digest = 'another' where name = 'approvals'")
    assert document("migrate") == {"applied": [], "to_build": ["approvals"]}


def test_events_that_could_not_be_digested_are_listed(document: Run, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into dead_letters (projection, position, error) values ('execution_list', 5, 'odd')")
    items = document("projections", "dead-letters")["items"]
    assert [(item["projection"], item["position"], item["error"]) for item in items] == [("execution_list", 5, "odd")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("rebuild",),
        ("rebuild", "execution_lost"),
        ("rebuild", "execution_list", "--all"),
        ("verify", "x"),
        ("build",),
        *((command, "execution_lost") for command in ("build", "diff", "promote", "rollback", "drop")),
    ],
)
def test_read_models_are_called_by_their_names(procession: Run, arguments: tuple[str, ...]) -> None:
    assert procession("projections", *arguments).exit_code == 2


def test_the_nearest_name_is_suggested(procession: Run) -> None:
    assert "execution_list" in procession("projections", "rebuild", "execution_lost").stderr


def test_a_hole_in_a_stream_and_a_parked_event_are_named(
    document: Run, procession: Run, busy: Wiring, database: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into dead_letters (projection, position, error) values ('execution_list', 2, 'why')")
        (stream,) = connection.execute("""
            delete from stored_events where (originator_id, originator_version) = (
              select originator_id, 2 from stored_events where topic = 'ExecutionStarted' limit 1)
            returning originator_id""").fetchone() or (None,)
    (parked,) = document("projections", "verify", "execution_list", code=1)["verified"]
    assert (parked["parked"], parked["parked_events"]) == (1, [{"position": 2, "error": "why"}])
    (holes,) = document("projections", "verify", "streams", code=1)["verified"]
    assert holes["differing"] == 1
    assert [(each["key"], each["live"]) for each in holes["samples"]] == [
        ({"stream": str(stream), "after_version": 1}, {"version": 3})
    ]
    written = procession("projections", "verify").stdout
    assert str(stream) in written
    assert "1 events are parked" in written
    assert procession("projections", "rebuild", "streams").exit_code == 2
