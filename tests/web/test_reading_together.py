"""The queries of one page share a connection and what they read of freshness; a query that waits goes by itself."""

from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation


def test_queries_of_one_answer_share_a_connection(client: TestClient, installation: Installation) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    position = installation.project()
    reading = installation.new_reading(5.0)
    with reading.together():
        with reading.of("execution_list") as (first, fresh):
            pass
        client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
        after = installation.project()
        with reading.of("execution_list") as (second, same), reading.of("process_catalogue") as (third, newer):
            assert first is second is third
        with reading.of("execution_list", after) as (apart, newest):
            assert apart is not first
        with reading.log() as (log, _):
            assert log is first
    # The state of all read models is read once, before the rows of the first.
    assert (fresh.as_of_position, same, newer.as_of_position) == (position, fresh, position)
    assert newest.as_of_position == after
    with reading.of("execution_list") as (_, later):
        assert later.as_of_position == after
