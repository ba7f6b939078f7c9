"""This release builds its read tables beside a running release before, which serves and projects its own meanwhile."""

from app.clock import SYSTEM_CLOCK
from projections import ALL
from projections.execution_list import ExecutionList
from projections.rebuilding import build_and_switch
from projections.verifying import verify
from scheduler.projector import Projector
from store.datastore import Datastore
from store.migrating import migrate
from tests.processes import Processes
from tests.upgrade.conftest import ReleaseBefore
from tests.waiting import until

HELLO = "{name: hello, steps: [{id: greet, agent: echo, message: Hello}], outputs: {text: '{{ steps.greet.output }}'}}"


class Now(ExecutionList):
    """The list with another shape than the release before defines."""

    ddl = ExecutionList.ddl + "alter table execution_list add column now text;"


NOW = (Now(), *ALL[1:])


def run_hello(release: Processes) -> str:
    """Start an execution, and return its id when the release lists it as completed."""
    id = str(release.post("/api/processes/hello/executions", {})["execution_id"])
    until(lambda: release.get(f"/api/executions/{id}").json().get("status") == "completed")
    return id


def statuses(release: Processes) -> dict[str, str]:
    """Return status by execution, as the release lists them."""
    answer = release.get("/api/executions").raise_for_status()
    return {item["execution_id"]: item["status"] for item in answer.json()["items"]}


def test_the_release_before_serves_its_tables_until_this_one_has_built_its_own(old: ReleaseBefore) -> None:
    old.serve("up", "up")
    old.publish(HELLO, echo={"script": "echo"})
    first = run_hello(old)
    until(lambda: statuses(old) == {first: "completed"})
    migrate(old.dsn)
    datastore = Datastore(old.dsn)
    meanwhile: list[str] = []

    def work_goes_on(_done: int, _total: int) -> None:
        # Once, in the middle of the build.
        if not meanwhile:
            meanwhile.append(run_hello(old))
            until(lambda: statuses(old) == {first: "completed", meanwhile[0]: "completed"})

    try:
        build_and_switch(datastore, NOW[0], work_goes_on)
        assert meanwhile
        assert verify(datastore, NOW[0], lambda _done, _total: None).differing == 0
        assert "execution_list was built as another release defines it" in old.words("up")

        # Its worker goes on, and so does its projector with all other read models; this one projects the list.
        projector = Projector(datastore, SYSTEM_CLOCK, NOW)
        projector.start()
        last = run_hello(old)
        until(lambda: statuses(old).get(last) == "completed")
        projector.stop()
        assert verify(datastore, NOW[0], lambda _done, _total: None).differing == 0
        with datastore.reading() as connection:
            listed = connection.execute("select execution_id::text as id, now from execution_list").fetchall()
        assert {row["id"] for row in listed} == {first, meanwhile[0], last}
    finally:
        datastore.close()
