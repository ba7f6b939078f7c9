"""A cost alert that is set aside, on the pages of the operator."""

from uuid import uuid4

from starlette.testclient import TestClient

from tests.api.conftest import Installation


def test_a_cost_alert_that_is_set_aside_is_only_tried_again(installation: Installation, client: TestClient) -> None:
    id = uuid4()
    with installation.datastore.reading() as connection:
        connection.execute(
            "insert into set_aside (execution_id, error, kind, next_try) values (%s, 'no', 'cost_alert', now() + '1d')",
            (id,),
        )
    address = f"/operations/set-aside/{id}"
    assert f'href="/alerts/{id}"' in client.get("/operations/set-aside").text
    for path in ("/", "/operations"):
        page = client.get(path).text
        assert f'href="{address}">Cost alert' in page, path
        assert f'href="{address}">Execution' not in page, path
    page = client.get(address).text
    assert "Try again" in page
    assert "Cancel the execution" not in page
    assert client.post(f"{address}/retry", data={"reason": "mended"}).status_code == 303
    assert client.post(f"{address}/cancel", data={"reason": "not needed"}).status_code == 409
