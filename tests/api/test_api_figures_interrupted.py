"""Answers of analytics that something interrupts: they are right, or 503 with a code, and the next one is right."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow
from starlette.testclient import TestClient

from api.app import create_app
from projections import ALL
from projections.rebuilding import build_and_switch
from queries.analytics.requests import FiguresFilter
from queries.analytics.rollups import BESIDE, FIRST_TABLES, rollups
from queries.progress import ExecutionProgress
from queries.reading import Reading
from tests.api.conftest import Installation, browsing
from tests.api.test_api_archived import finished

SHAPES = {projection.name: projection.digest for projection in ALL}
PROJECTIONS = {projection.name: projection for projection in ALL}
PROCESSES, TRENDS, STEPS = "/api/analytics/processes", "/api/analytics/trends", "/api/analytics/steps"
# Of the tables that these answers read one after another, some in the middle.
TABLES = "analytics_runs", "analytics_ended", "analytics_steps"
# On a page: all that ended, those of today, and those of a step.
PAGE_COUNTS = (
    r"<dt>Ended</dt><dd[^>]*><a[^>]*>(\d+)</a>",
    r'<tr id="day-[^"]*"><th scope="row">[^<]* <span[^>]*>so far</span></th><td class="n"><a[^>]*>(\d+)</a>',
    r'<li class="s" id="few-slowest-1">[^:]*: <a[^>]*>(\d+)</a>',
)
REPLACED = (
    ("analytics_agent_spending", TRENDS),
    ("analytics_ended", TRENDS),
    ("analytics_run_costs", PROCESSES),
    ("execution_list", PROCESSES),
    ("process_catalogue", STEPS),
)
WAITING = """select l.pid from pg_locks l join pg_stat_activity a using (pid)
where not l.granted and a.datname = current_database() and a.application_name = 'procession'"""
# A transaction sees others as they were when it first saw them.
FORGET = "select pg_stat_clear_snapshot()"


@pytest.fixture
def ended(client: TestClient, installation: Installation, greeting: str) -> None:
    """An execution that has ended, and is projected."""
    finished(client, installation)


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def of_a_release(installation: Installation) -> Iterator[TestClient]:
    """Yield the API of a release that says which shapes of read tables it can read."""
    reading = Reading(installation.datastore, ExecutionProgress(installation.datastore, shapes=SHAPES))
    door = dataclasses.replace(installation.door(hosts=installation.hosts), reading=reading)
    with TestClient(create_app(door)) as opened:
        yield opened


@contextmanager
def held(installation: Installation, *tables: str) -> Iterator[Connection[DictRow]]:
    """Within it, answers wait for tables; the connection that holds them."""
    with installation.datastore.connect("holder") as connection, connection.transaction():
        connection.execute(f"lock table {', '.join(tables)} in access exclusive mode")
        yield connection


def in_its_middle(holder: Connection[DictRow], coming: Future[Any]) -> int:
    """Return the process of the server that works at an answer, once it waits for the tables that are held."""
    found: list[int] = []

    def waits() -> bool:
        assert not coming.done(), coming.result()
        holder.execute(FORGET)
        found[:] = [row["pid"] for row in holder.execute(WAITING)]
        return bool(found)

    Installation.until(waits)
    return found[0]


@pytest.mark.parametrize("path", [PROCESSES, TRENDS, STEPS])
@pytest.mark.parametrize("act", ["pg_cancel_backend", "pg_terminate_backend"])
def test_an_answer_that_the_server_ends_is_503_and_the_next_one_is_right(
    client: TestClient,
    installation: Installation,
    ended: None,
    elsewhere: ThreadPoolExecutor,
    problem_codes: Callable[[Any], list[str]],
    path: str,
    act: str,
) -> None:
    before = client.get(path)
    assert before.status_code == 200, before.text
    with held(installation, *TABLES) as holder:
        coming = elsewhere.submit(client.get, path)
        holder.execute(f"select {act}(%s)", (in_its_middle(holder, coming),))
        answer = coming.result()
    assert (answer.status_code, problem_codes(answer)) == (503, ["unavailable"])
    after = client.get(path)
    assert (after.status_code, after.json()) == (200, before.json())


@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("pg_cancel_backend", psycopg.errors.QueryCanceled),
        ("pg_terminate_backend", psycopg.errors.AdminShutdown),
    ],
)
def test_figures_that_the_server_ends_raise_its_error_and_leave_no_snapshot(
    installation: Installation, ended: None, elsewhere: ThreadPoolExecutor, act: str, error: type[psycopg.Error]
) -> None:
    reading = installation.new_reading(5.0)
    bounds = (datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1))

    def read() -> int:
        with rollups(reading, FiguresFilter()) as (found, _):
            return sum(row["completed"] for row in found.runs(bounds, ""))

    with held(installation, *TABLES) as holder:
        coming = elsewhere.submit(read)
        holder.execute(f"select {act}(%s)", (in_its_middle(holder, coming),))
        with pytest.raises(error):
            coming.result()
    assert read() == 1
    with reading.datastore.reading() as connection:
        assert connection.isolation_level is None
        found = connection.execute("select current_setting('transaction_isolation') as isolation").fetchone()
        assert found == {"isolation": "read committed"}


@pytest.mark.parametrize("name", ["analytics", *BESIDE])
def test_a_switch_in_the_middle_of_an_answer_waits_for_its_end(
    client: TestClient, installation: Installation, ended: None, elsewhere: ThreadPoolExecutor, name: str
) -> None:
    before = client.get(TRENDS).json()
    # What the answer reads next is of no read model, so the switch is free to go on.
    with held(installation, "archived_executions") as holder:
        coming = elsewhere.submit(client.get, TRENDS)
        in_its_middle(holder, coming)
        switch = elsewhere.submit(build_and_switch, installation.datastore, PROJECTIONS[name], lambda *_: None)

        def waits() -> bool:
            first = sorted(PROJECTIONS[name].tables)[0]
            query = "select from pg_locks where not granted and relation = to_regclass(%s)"
            return switch.done() or holder.execute(query, (first,)).fetchone() is not None

        # Rows that it committed are not in the snapshot of the answer, which must not read its tables.
        installation.until(waits)
        switched = switch.done()
    assert (coming.result().status_code, coming.result().json()) == (200, before)
    assert not switched
    switch.result()
    assert client.get(TRENDS).json() == before


def test_a_page_is_one_cut_whatever_is_projected_in_its_middle(
    client: TestClient, installation: Installation, ended: None, elsewhere: ThreadPoolExecutor
) -> None:
    with browsing(installation) as browser:
        # The first figures have been read then; the days and the steps come last.
        with held(installation, "archived_executions") as holder:
            coming = elsewhere.submit(browser.get, "/analytics?days=1&timezone=UTC")
            in_its_middle(holder, coming)
            finished(client, installation)
        page = coming.result().text
        found = [re.search(pattern, page) for pattern in PAGE_COUNTS]
        assert [each and each.group(1) for each in found] == ["1", "1", "1"]
        page = browser.get("/analytics?days=1&timezone=UTC").text
        found = [re.search(pattern, page) for pattern in PAGE_COUNTS]
        assert [each and each.group(1) for each in found] == ["2", "2", "2"]


def test_a_switch_begins_at_the_tables_that_figures_hold() -> None:
    names = ("analytics", *BESIDE)
    assert tuple(sorted(PROJECTIONS[name].tables)[0] for name in names) == FIRST_TABLES


@pytest.mark.parametrize(("table", "path"), REPLACED)
def test_an_answer_whose_tables_another_release_replaces_is_503(
    installation: Installation,
    ended: None,
    elsewhere: ThreadPoolExecutor,
    problem_codes: Callable[[Any], list[str]],
    table: str,
    path: str,
) -> None:
    name = next(each.name for each in ALL if table in each.tables)
    with of_a_release(installation) as client:
        assert client.get(path).status_code == 200
        with held(installation, *PROJECTIONS[name].tables) as holder:
            coming = elsewhere.submit(client.get, path)
            in_its_middle(holder, coming)
            holder.execute("update projections set digest = 'another' where name = %s", (name,))
            holder.execute(f"drop table {table}")
            holder.execute(f"create table {table} (nothing int)")
        answer = coming.result()
        assert (answer.status_code, problem_codes(answer)) == (503, ["read_model_rebuilding"])
        assert client.get("/api/approvals").status_code == 200
