"""The cost limits of a process on its page, with what is spent of each."""

import re
from decimal import Decimal

from starlette.testclient import TestClient

from domain.agents.calls import Completed
from domain.money import Money
from tests.api.conftest import Installation


def test_the_limits_of_a_process_show_what_is_spent_of_each_level(
    installation: Installation, client: TestClient
) -> None:
    limit = 'costs: {daily: {amount: "0.04", currency: USD, warn_at: 0.5}}'
    source = f"name: spender\n{limit}\nsteps: [{{id: work, agent: writer, message: go}}]\n"
    installation.publish(client, source, writer={"script": "echo"})
    installation.project()
    assert "0 of 0.04 USD spent, 0%" in client.get("/processes/spender").text
    spent = Completed({"text": "done"}, cost=Money(Decimal("0.03"), "USD"))
    installation.answer(installation.begin(client, "spender"), "work", spent)
    installation.project()
    page = client.get("/processes/spender").text
    assert re.search(r'aria-label="0.03 of 0.04 USD spent, 75%">.*<rect class="f-wait" y="4" width="75%"', page)
