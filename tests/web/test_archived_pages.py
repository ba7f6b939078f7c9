"""Pages about executions that left the log: the page of one names its file, and figures state how many they include."""

from pathlib import Path

from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation
from tests.api.test_api_archived import finished, leave


def test_the_page_of_an_archived_execution_names_its_file_and_figures_say_how_many(
    client: TestClient, installation: Installation, tmp_path: Path
) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    id = finished(client, installation)
    (file,) = leave(installation, tmp_path)
    finished(client, installation)
    page = client.get(f"/executions/{id}")
    assert page.status_code == 410
    assert "This is in the archive" in page.text
    assert file in page.text
    assert "1 archived" in client.get("/analytics").text
    assert "1 archived" in client.get("/processes/greeting").text
