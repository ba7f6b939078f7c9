"""Pages whose address holds a position that the log has lost show the log as it is."""

from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.fixture
def lost(client: TestClient, installation: Any) -> None:
    """Let the log have lost everything beyond position 3 in its first epoch."""
    assert client.put("/api/agents/writer", json={"kind": "scripted", "script": "echo"}).status_code == 200
    installation.project()
    with installation.datastore.reading() as connection:
        connection.execute("update log_epochs set number = 2, begins_at = 3")
        connection.execute(
            "insert into log_epochs (number, epoch_id, system_identifier, timeline, begins_at)"
            " values (1, '0123456789ab', 'before', 1, 0)"
        )
    installation.datastore.connect().close()


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("address", ["min_position=900000&done=started", "min_position=4&epoch=0123456789ab"])
def test_a_page_is_shown_without_a_lost_position(client: TestClient, address: str) -> None:
    answer = client.get(f"/processes?q=x&{address}", headers={"accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/processes?q=x")
    assert "position" not in answer.headers["location"]
    assert client.get(answer.headers["location"]).status_code == 200


@pytest.mark.usefixtures("lost")
def test_the_page_of_operations_states_the_epoch(client: TestClient) -> None:
    assert "epoch 2 of the log" in client.get("/operations").text
