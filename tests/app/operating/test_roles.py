"""The role that serves: it does all the work, owns the read tables, and cannot change or delete an event."""

import psycopg
import pytest
from psycopg import conninfo, errors

from app.clock import SYSTEM_CLOCK
from app.database import Database
from app.running import running
from app.settings import read_settings
from app.signals import Stopping
from app.wiring import wired
from store.connections import connect
from store.granting import grant_serving
from store.migrating import migrations
from store.privileges import PrivilegesMissing
from store.unsuitable import DatabaseUnsuitable
from tests.settled import settled
from tests.waiting import until

HELLO = """
name: hello
steps: [{id: greet, agent: echo, message: "Hello"}]
"""
CHANGES = (
    "update stored_events set topic = 'ExecutionFailed'",
    "delete from stored_events",
    "truncate stored_events",
    "drop table stored_events",
    "alter table stored_events add column more text",
    "create or replace function append_events_v1(uuid[], bigint[], text[], bytea[], uuid[], bigint[], text[], bytea[],"
    " bytea[], int[]) returns bigint language sql as 'select 1::bigint'",
    "delete from schema_migrations",
    "update installation_keys set value = ''",
)


@pytest.fixture
def owned(place, using, procession):
    """A migrated database: (conninfo of its owner, the role that shall serve)."""
    owner, serving = place.role(), place.role()
    dsn = place.database(role=owner)
    place.execute(dsn, f"grant {serving} to {owner}")
    place.execute(dsn, "alter default privileges revoke execute on functions from public")
    place.execute(dsn, f"alter default privileges for role {owner} revoke execute on functions from public")
    using(dsn)
    done = procession("migrate")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(migrations())
    return dsn, serving


def test_a_role_with_the_grants_alone_serves_works_projects_and_rebuilds(place, owned, journey, procession, using):
    dsn, serving = owned
    ours = place.as_role(dsn, serving)
    using(ours)
    refused = procession("serve", "--port", "0")
    assert refused.exit_code == 3
    using(dsn)
    for _ in range(2):
        granted = procession("migrate", "--grant-to", serving)
        assert granted.exit_code == 0, granted.stderr
        assert granted.stdout.splitlines() == [
            "nothing to apply",
            f"granted {serving} what serving and projecting need",
        ]
    journey(ours)
    with connect(ours) as connection:
        assert connection.execute("select count(*) > 5 from stored_events").fetchone() == (True,)
        for statement in CHANGES:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
    using(ours)
    assert procession("migrate").stdout == "nothing to apply\n"
    # A build by the owner's hand goes on to work, and so do tables that one of them has left aside.
    using(dsn)
    assert procession("projections", "build", "execution_list").exit_code == 0
    assert procession("migrate", "--grant-to", serving).exit_code == 0
    using(ours)
    for step in (("promote",), ("rollback",), ("drop",)):
        done = procession("projections", *step, "execution_list")
        assert done.exit_code == 0, done.stderr


def test_the_owner_archives_while_the_serving_role_works(place, owned, using, procession, document, tmp_path) -> None:
    dsn, serving = owned
    ours, folder = place.as_role(dsn, serving), tmp_path / "files"
    using(dsn)
    assert procession("migrate", "--grant-to", serving).exit_code == 0
    using(ours)
    (tmp_path / "hello.yaml").write_text(HELLO)
    settings = read_settings()
    with Database(settings) as opened, wired(settings, opened) as wiring:
        opened.migrate(serving=True, projecting=True)
        with running(wiring, settings, Stopping()) as roles:
            roles.start_projector()
            roles.start_worker(None)
            register = ("agents", "register", "echo", "--kind", "scripted", "--set", "script=echo")
            assert procession(*register).exit_code == 0
            assert procession("publish", str(tmp_path / "hello.yaml")).exit_code == 0
            ended = [document("start", "hello", "--wait")["execution_id"] for _ in range(2)]
            # What a policy has not read stays.
            until(lambda: settled(dsn))
            command = ("archive", "--ended-before", SYSTEM_CLOCK.now().isoformat(), "--to", str(folder), "--yes")
            refused = document(*command, code=3)["error"]
            assert "DELETE on stored_events" in refused["message"]
            assert "the owner of the tables archives" in refused["message"]
            using(dsn)
            done = document(*command)
            assert (done["archived"], done["executions"]) == (True, 2)
            assert sorted(done["files"]) == sorted(file.name for file in folder.glob("*.parquet"))
            using(ours)
            later = document("start", "hello", "--wait")
            assert later["status"] == "completed"
            until(lambda: [each["execution_id"] for each in listed(document)] == [later["execution_id"]])
            assert {document("show", id, code=1)["error"]["code"] for id in ended} == {"archived"}
            assert {each["differing"] for each in document("projections", "verify")["verified"]} == {0}
            assert document("projections", "rebuild", "--all")["rebuilt"]
            assert [each["execution_id"] for each in listed(document)] == [later["execution_id"]]
            assert document("analytics", "processes")["total"]["completed"] == 3


def listed(document):
    """Return the executions that the list shows."""
    return document("executions")["items"]


def test_what_the_serving_role_lacks_is_named(place, owned, using, document) -> None:
    dsn, serving = owned
    with connect(dsn) as connection:
        grant_serving(connection, serving, ["execution_list"])
    place.execute(
        dsn,
        f"revoke insert on stored_events from {serving}",
        f"revoke usage on sequence stored_events_notification_id_seq from {serving}",
        f"revoke delete on due_timers from {serving}",
    )
    using(place.as_role(dsn, serving))
    message = document("work", code=3)["error"]["message"]
    assert "INSERT on stored_events" in message
    assert "USAGE on stored_events_notification_id_seq" in message
    assert "DELETE on due_timers" in message
    assert "INSERT on execution_detail" in message
    assert f"--grant-to {serving}" in message


def test_a_role_that_does_not_own_the_tables_applies_no_migration(place, owned, using, document) -> None:
    dsn, serving = owned
    newest = migrations()[-1][0]
    place.execute(
        dsn, f"delete from schema_migrations where number = {newest}", f"grant select on schema_migrations to {serving}"
    )
    using(place.as_role(dsn, serving))
    error = document("migrate", code=3)["error"]
    assert error["code"] == "privileges_missing"
    assert "CREATE on schema public" in error["message"]
    assert "ownership of stored_events (owner: " in error["message"]


@pytest.mark.parametrize(
    ("damage", "lacked", "projector_only"),
    [
        ("revoke usage on schema public from public, {role}", "USAGE on schema public", False),
        ("revoke temporary on database {database} from public, {role}", "TEMPORARY on database", False),
        ("revoke create on schema public from {role}", "CREATE on schema public", True),
        ("revoke usage on schema building from {role}", "USAGE on schema building", True),
        ("revoke create on schema previous from {role}", "CREATE on schema previous", True),
        ("revoke create on schema rebuilding from {role}", "CREATE on schema rebuilding", True),
        ("alter table execution_list owner to {owner}; grant all on execution_list to {role}", "ownership of", True),
    ],
)
def test_what_a_projector_lacks_later_is_named_at_its_start(place, owned, using, damage, lacked, projector_only):
    dsn, serving = owned
    using(dsn)
    with Database(read_settings()) as opened:
        opened.migrate()
        opened.grant_serving(serving)
    owner = place.admin.info.user
    for each in damage.format(role=serving, database=place.name_of(dsn), owner=owner).split("; "):
        place.execute(dsn, each)
    using(place.as_role(dsn, serving))
    with Database(read_settings()) as opened:
        with pytest.raises((PrivilegesMissing, DatabaseUnsuitable), match=lacked):
            opened.migrate(serving=True, projecting=True)
        if projector_only:
            opened.migrate(serving=True)


@pytest.mark.parametrize("role", ["nobody_of_this_name", "not_a_member"])
def test_a_grant_that_cannot_be_made_is_refused_whole(place, owned, using, procession, role: str) -> None:
    dsn, _ = owned
    name = place.role() if role == "not_a_member" else role
    with connect(dsn) as connection, pytest.raises(PrivilegesMissing):
        grant_serving(connection, name, ["execution_list"])
    using(dsn)
    assert procession("migrate", "--dry-run", "--grant-to", name).exit_code == 3


def test_what_cannot_be_granted_is_named_and_nothing_is_granted(place, owned, using, procession) -> None:
    dsn, serving = owned
    owner, database = place.admin.info.user, place.name_of(dsn)
    place.execute(
        dsn,
        f"alter database {database} owner to {owner}",
        f"revoke all on database {database} from public",
        f"grant connect, temporary on database {database} to {conninfo.conninfo_to_dict(dsn)['user']}",
        f"grant create on schema public to {conninfo.conninfo_to_dict(dsn)['user']}",
        f"alter table workers owner to {owner}",
    )
    using(dsn)
    for command in (("migrate", "--dry-run", "--grant-to", serving), ("migrate", "--grant-to", serving)):
        refused = procession(*command)
        assert refused.exit_code == 3
        for lacked in (
            f"ownership of workers (owner: {owner})",
            f"CONNECT on database {database} with grant option",
            "CREATE on schema public with grant option",
        ):
            assert lacked in refused.stderr
        assert "schema building" not in refused.stderr
    place.execute(
        dsn,
        f"alter table workers owner to {conninfo.conninfo_to_dict(dsn)['user']}",
        f"grant connect, temporary on database {database} to {serving}",
        f"grant usage, create on schema public to {serving}",
    )
    # A privilege that the role has already need not be granted once more.
    assert procession("migrate", "--grant-to", serving).exit_code == 0


def test_tables_in_another_schema_are_named_and_no_second_ones_are_made(place, using, document) -> None:
    dsn = place.database()
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema theirs; set search_path = theirs")
        connection.execute("create table schema_migrations (number int, name text, digest text)")
        connection.execute("create table stored_events ()")
    using(dsn)
    error = document("migrate", code=3)["error"]
    assert error["code"] == "unsuitable_database"
    assert "schema theirs" in error["message"]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select to_regclass('public.stored_events')").fetchone() == (None,)


@pytest.mark.parametrize("table", ["schema_migrations (version text)", "workers (n int)", "approvals (n int)"])
def test_a_database_with_tables_of_another_program_is_refused_untouched(place, using, document, table: str) -> None:
    dsn = place.database()
    place.execute(dsn, f"create table {table}")
    using(dsn)
    for command in (("migrate",), ("work",)):
        error = document(*command, code=3)["error"]
        assert "another program" in error["message"]
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (1,)


def test_a_privilege_that_a_command_lacks_is_named(place, owned, using, procession) -> None:
    dsn, serving = owned
    using(dsn)
    assert procession("migrate", "--grant-to", serving).exit_code == 0
    place.execute(
        dsn, f"revoke all on execution_list from {serving}", "alter table execution_list owner to current_user"
    )
    using(place.as_role(dsn, serving))
    refused = procession("executions")
    assert refused.exit_code == 3
    assert "execution_list" in refused.stderr
