"""The drill of a restore: an API alone on the restored dump, then the proof, then workers."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from psycopg import conninfo

from tests.clusters.installation import Greeting
from tests.clusters.node import ENVIRONMENT, Cluster, Node
from tests.postgresql_programs import programs
from tests.waiting import until

EVENTS = "select count(*) from stored_events where topic = '{}'"
LAST = "select max(notification_id) from stored_events"
STARTED, COMPLETED = (EVENTS.format(f"Execution{end}") for end in ("Started", "Completed"))


def run(*command: str) -> None:
    """Run a program of PostgreSQL."""
    done = subprocess.run(
        [str(programs() / command[0]), *command[1:]], env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_a_dump_under_load_is_tried_without_workers_before_it_works(cluster: Cluster, primary: Node) -> None:
    stopping = Event()
    dump = cluster.folder / "dump"
    with Greeting(cluster, primary.dsn) as installation:
        installation.launch("work", "work")
        installation.serve()
        installation.publish_hello()

        def load() -> int:
            begun = 0
            while not stopping.wait(0.02):
                installation.start(f"load-{begun}")
                begun += 1
            return begun

        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(load)
            try:
                until(lambda: primary.rows(COMPLETED) > [(3,)])
                until(lambda: installation.client.get("/api/executions").json()["items"])
                run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={primary.dsn}")
            finally:
                stopping.set()
            assert loading.result(60) > 3
    primary.rows("create database restored encoding 'UTF8' template template0")
    restored = conninfo.make_conninfo(primary.dsn, dbname="restored")
    run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored}", str(dump))
    with Greeting(cluster, restored) as installation:
        held = installation.rows(LAST)
        installation.serve()
        assert installation.client.get("/api/executions").json()["items"]
        assert installation.run("projections", "verify") == 0, installation.words()
        assert installation.rows(LAST) == held
        installation.launch("work", "work")
        until(lambda: installation.rows(STARTED) == installation.rows(COMPLETED))
        assert installation.completed(installation.start("afterwards"))["outputs"] == {"text": "Hello you"}
        assert installation.run("projections", "verify") == 0
