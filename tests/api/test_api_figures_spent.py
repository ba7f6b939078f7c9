"""What executions spend that have not ended: the pages of analytics state it, and lead to them."""

import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from scheduler.worker import Worker
from tests.api.conftest import Installation, browsing

PAYING = """
name: paying
steps:
  - {id: pay, agent: payer, message: go}
  - {id: sign, type: human_approval, message: sure?, approvers: [ann], depends_on: pay}
"""
PAID = {"script": "echo", "cost": {"amount": "0.25", "currency": "USD"}}


@pytest.mark.parametrize("path", ["/analytics", "/processes/paying/analytics"])
def test_pages_show_what_was_spent_while_nothing_has_ended(
    client: TestClient, installation: Installation, worker: Worker, path: str
) -> None:
    installation.publish(client, PAYING, payer=PAID)
    with browsing(installation) as browser:
        installation.project()
        assert "Nothing ended in these 7 days" in browser.get(path, params={"days": 7}).text

        execution = installation.begin(client, "paying")

        def paid() -> bool:
            installation.project()
            found = client.get("/api/analytics/processes", params={"days": 7}).json()["total"]["spent"]
            return [each["amount"] for each in found] == ["0.25"]

        installation.until(paid)
        page = browser.get(path, params={"days": 7}).text
        assert "Nothing ended" not in page
        (link,) = re.findall(r'<dt>Spent</dt><dd[^>]*><a href="([^"]*)">', page)
        items = client.get(f"/api{unescape(link)}").json()["items"]
        assert [each["execution_id"] for each in items] == [str(execution)]
        assert re.search(r"Cost of calls each day in USD: 0\.25", page)
