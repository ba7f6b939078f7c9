"""Search or go to: what each text finds, where it leads at once, and what others may not find."""

import re

from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation

OTHER = GREETING.replace("name: greeting", "name: greeting-again")
LINKS = re.compile('<a class="b" href="([^"]+)"')


def test_a_text_finds_processes_agents_executions_and_pages(client: TestClient, installation: Installation) -> None:
    for source in (GREETING, OTHER):
        installation.publish(client, source, writer={"script": "echo"}, greeter={"script": "echo"})
    started = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    id = started.json()["execution_id"]
    installation.project()

    def found(text: str) -> list[str]:
        return LINKS.findall(client.get("/search", params={"q": text}).text)

    def led(text: str) -> str:
        answer = client.get("/search", params={"q": text})
        assert answer.status_code == 303, text
        return answer.headers["location"]

    assert found("greet") == ["/processes/greeting", "/processes/greeting-again", "/agents/greeter"]
    assert found("GREETING") == ["/processes/greeting", "/processes/greeting-again"]
    assert led("-again") == "/processes/greeting-again"
    assert led("writer") == "/agents/writer"
    assert led(f" {id[-8:]} ") == led(id) == f"/executions/{id}"
    assert led("keys") == "/keys"
    assert found("cost") == ["/costs", "/alerts"]
    for nothing in ("%", "_", "<b>", "'"):
        page = client.get("/search", params={"q": nothing}).text
        assert "Nothing matches" in page
        assert "<b>" not in page
    assert "Search or go to" in client.get("/search").text
    assert 'action="/search"' in client.get("/approvals").text
