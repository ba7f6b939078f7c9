"""Webhook triggers over HTTP: who may deliver, what a delivery brings, and that it starts one execution."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from app.wiring import Wiring

JSON = {"Content-Type": "application/json"}
KEY = b"0123456789abcdef"
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
PATH = "/api/triggers/webhook/new-order"
ORDERS = """
name: {name}
input:
  item: {{type: string}}
  speed: {{type: string, default: slow}}
triggers:
  - {{type: manual, id: by-hand, input: {{item: none}}}}
  - {{type: webhook, id: {id}, input: {{speed: normal}}, {more}}}
steps:
  - {{id: read, agent: writer, message: "{{{{ trigger.payload }}}}"}}
"""
SECRET = 'secret: "${ORDERS_SECRET}"'


def orders(more: str = "enabled: true", *, name: str = "orders", id: str = "new-order") -> str:
    return ORDERS.format(name=name, id=id, more=more)


def signed(body: bytes, *, id: str = "msg_1", age: float = 0, key: bytes = KEY) -> dict[str, str]:
    """The headers of a delivery, as Standard Webhooks has them."""
    at = str(int(time.time() - age))
    signature = base64.b64encode(hmac.digest(key, f"{id}.{at}.".encode() + body, hashlib.sha256)).decode()
    stated = {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": f"v1,AAAA v1a,x v1,{signature}"}
    return JSON | stated


@pytest.fixture
def published(client: TestClient, installation: Any) -> Callable[..., None]:
    return lambda source: installation.publish(client, source, writer={"script": "echo"})


@pytest.fixture
def secret(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_SECRET", WHSEC)
    published(orders(SECRET))


def begun(installation: Any, answer: Any) -> Any:
    """The first event of what a delivery started."""
    assert answer.status_code == 202, answer.text
    assert set(answer.json()) == {"execution_id", "version", "position"}
    return installation.log.stream(UUID(answer.json()["execution_id"]))[0]


@pytest.mark.parametrize(
    ("body", "input"),
    [
        ('{"item": "pen", "more": [1]}', {"item": "pen", "speed": "normal"}),
        ('{"speed": "fast"}', {"speed": "fast"}),
        ("[1, null]", {"speed": "normal"}),
        ('"text"', {"speed": "normal"}),
        ("null", {"speed": "normal"}),
        ("", {"speed": "normal"}),
    ],
)
def test_any_json_is_the_payload_and_declared_fields_of_it_are_input(
    client: TestClient, installation: Any, published: Any, body: str, input: dict[str, str]
) -> None:
    published(orders())
    answer = client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    event = begun(installation, answer)
    assert (event.trigger.type, event.trigger.id, event.actor) == ("webhook", "new-order", "trigger:new-order")
    assert event.trigger.payload == (json.loads(body) if body else None)
    assert event.input == input
    by_hand = client.post("/api/processes/orders/executions", json={}).json()["execution_id"]
    assert installation.log.stream(UUID(by_hand))[0].input == {"item": "none", "speed": "slow"}


def test_what_is_no_json_or_no_input_is_refused(client: TestClient, published: Any, problem_codes: Any) -> None:
    published(orders())
    assert problem_codes(client.post(PATH, content="{", headers=JSON))[0] == "malformed"
    assert client.post(PATH, content="a=b", headers={"Content-Type": "text/plain"}).status_code == 415
    wrong = client.post(PATH, json={"item": 7})
    assert (wrong.status_code, problem_codes(wrong)[1:]) == (422, ["wrong_type"])


def test_a_signature_or_the_secret_itself_opens(client: TestClient, installation: Any, secret: None) -> None:
    body = b'{"item":  "pen"}'
    assert begun(installation, client.post(PATH, content=body, headers=signed(body))).input["item"] == "pen"
    assert begun(installation, client.post(PATH, content=body, headers=JSON | {"X-Webhook-Secret": WHSEC}))


@pytest.mark.parametrize(
    "made",
    [
        dict,
        lambda: {"X-Webhook-Secret": "whsec_"},
        lambda: {"X-Webhook-Secret": "wh\xe4t"},
        lambda: {"Authorization": f"Bearer {WHSEC}"},
        lambda: signed(b"another body"),
        lambda: signed(b"{}", key=b"another key"),
        lambda: signed(b"{}", age=400),
        lambda: signed(b"{}", age=-400),
        lambda: signed(b"{}") | {"webhook-id": "msg_2"},
        lambda: signed(b"{}") | {"webhook-timestamp": "soon"},
        lambda: signed(b"{}") | {"webhook-signature": "v1,"},
    ],
)
def test_nothing_else_does(
    client: TestClient, installation: Any, secret: None, made: Callable[[], dict[str, str]], problem_codes: Any
) -> None:
    before = installation.log.last_position()
    sent = {name: value.encode("latin-1") for name, value in made().items()}
    answer = client.post(PATH, content=b"{}", headers=sent)
    assert (answer.status_code, problem_codes(answer)) == (401, ["webhook_unauthorised"])
    assert WHSEC not in answer.text
    assert installation.log.last_position() == before


@pytest.mark.parametrize("value", [None, "", "whsec_not base64", "whsec_%%"])
def test_a_secret_that_is_not_set_up_is_nobodys_to_guess(
    client: TestClient, secret: None, monkeypatch: pytest.MonkeyPatch, value: str | None, problem_codes: Any
) -> None:
    if value is None:
        monkeypatch.delenv("ORDERS_SECRET")
    else:
        monkeypatch.setenv("ORDERS_SECRET", value)
    answer = client.post(PATH, content=b"{}", headers=signed(b"{}", key=b""))
    assert (answer.status_code, problem_codes(answer)) == (503, ["secret_unavailable"])
    assert "ORDERS_SECRET" not in answer.text


@pytest.mark.parametrize("header", ["webhook-id", "Idempotency-Key"])
def test_a_delivery_that_is_repeated_starts_one_execution(
    client: TestClient, installation: Any, secret: None, header: str, problem_codes: Any
) -> None:
    headers = {header: "msg_1", "X-Webhook-Secret": WHSEC}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post(PATH, json={"item": "pen"}, headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["execution_id"] for answer in answers}) == 1
    other = client.post(PATH, json={"item": "ink"}, headers=headers)
    assert problem_codes(other) == ["idempotency_key_reused"]
    assert client.post(PATH, json={"item": "pen"}, headers={header: "msg_1"}).status_code == 401


def test_a_signed_delivery_is_not_told_from_others_by_what_the_signature_does_not_cover(
    client: TestClient, secret: None
) -> None:
    headers = signed(b"{}")
    started = {
        client.post(PATH, content=b"{}", headers=headers | {"Idempotency-Key": key}).json()["execution_id"]
        for key in ("a", "b")
    }
    assert len(started) == 1


def test_without_a_secret_the_api_key_is_asked_for_and_with_one_it_is_not(
    keyed: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_SECRET", WHSEC)
    installation = keyed("sesame")
    with TestClient(installation.app) as client:
        client.headers["Authorization"] = "Bearer sesame"
        installation.publish(client, orders(), writer={"script": "echo"})
        installation.publish(client, orders(SECRET, name="others", id="other"))
        assert client.post(PATH).status_code == 202
        del client.headers["Authorization"]
        assert client.post(PATH).status_code == 401
        assert client.post("/api/triggers/webhook/nothing").status_code == 401
        path = "/api/triggers/webhook/other"
        assert client.post(path).status_code == 401
        assert client.post(path, headers={"X-Webhook-Secret": WHSEC}).status_code == 202


def test_what_is_not_there_or_switched_off_starts_nothing(
    client: TestClient, published: Any, problem_codes: Any
) -> None:
    published(orders("enabled: false"))
    off = client.post(PATH)
    assert (off.status_code, problem_codes(off)) == (409, ["trigger_disabled"])
    for absent in ("by-hand", "nothing", "orders", "%00"):
        assert client.post(f"/api/triggers/webhook/{absent}").status_code == 404
    client.post("/api/processes/orders/archive", json={"reason": "old"})
    assert problem_codes(client.post(PATH)) == ["process_archived"]


def test_a_restored_process_has_its_address_unless_another_took_it(
    client: TestClient, published: Any, problem_codes: Any
) -> None:
    published(orders())
    client.post("/api/processes/orders/archive")
    client.post("/api/processes/orders/restore")
    assert client.post(PATH).status_code == 202
    client.post("/api/processes/orders/archive")
    published(orders(name="others"))
    assert problem_codes(client.post("/api/processes/orders/restore")) == ["trigger_taken"]
    client.post("/api/processes/others/archive")
    assert client.post("/api/processes/orders/restore").status_code == 200
    assert client.post(PATH).status_code == 202
    assert problem_codes(client.post("/api/processes/others/restore")) == ["trigger_taken"]


def test_an_id_belongs_to_one_process_until_that_drops_it(
    client: TestClient, installation: Any, published: Any, problem_codes: Any
) -> None:
    published(orders())
    yaml = {"Content-Type": "application/yaml"}
    drafted = client.post("/api/processes", content=orders(name="rival"), headers=yaml).json()
    rival = drafted["process_id"]
    refused = client.post(f"/api/processes/{rival}/publish")
    assert (refused.status_code, problem_codes(refused)) == (409, ["trigger_taken"] * 2)
    (told,) = refused.json()["problems"]
    assert ("'orders'" in told["message"], told["path"], told["line"] > 1) == (True, "triggers[1].id", True)
    assert [(each["code"], each["severity"]) for each in drafted["warnings"]] == [("trigger_taken", "warning")]
    validated = client.post("/api/processes/validate", content=orders(name="rival"), headers=yaml).json()
    assert (validated["valid"], validated["problems"]) == (False, [told])
    assert begun(installation, client.post(PATH)).process == "orders"
    assert client.put("/api/processes/orders", content=orders(id="order"), headers=yaml).status_code == 200
    assert client.post("/api/processes/orders/publish").status_code == 200
    assert client.post(PATH).status_code == 404
    assert client.post(f"/api/processes/{rival}/publish").status_code == 200
    assert begun(installation, client.post(PATH)).process == "rival"
    assert begun(installation, client.post("/api/triggers/webhook/order")).process == "orders"


def test_of_rivals_that_publish_at_once_one_gets_the_id(client: TestClient, installation: Any, published: Any) -> None:
    published(orders(name="first", id="first"))
    yaml = {"Content-Type": "application/yaml"}
    names = [f"rival{n}" for n in range(4)]
    for name in names:
        assert client.post("/api/processes", content=orders(name=name), headers=yaml).status_code == 201
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: client.post(f"/api/processes/{name}/publish"), names))
    won = [name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert [begun(installation, client.post(PATH)).process] == won


@pytest.mark.parametrize(("name", "code"), [("OTHER", "secret_not_allowed"), ("Procession_Key", "secret_reserved")])
def test_a_trigger_that_refers_to_a_variable_that_is_not_allowed_is_a_draft_and_not_published(
    client: TestClient, installation: Any, name: str, code: str
) -> None:
    assert client.put("/api/agents/writer", json={"kind": "scripted", "script": "echo"}).status_code == 200
    source = orders(f'secret: "${{{name}}}"')
    drafted = client.post("/api/processes", content=source, headers={"Content-Type": "application/yaml"})
    assert drafted.status_code == 201
    answer = client.post(f"/api/processes/{drafted.json()['process_id']}/publish")
    assert answer.status_code == 422
    found = {problem["code"]: problem for problem in answer.json()["problems"]}
    assert (found[code]["path"], found[code]["line"]) == ("triggers[1].secret", 8)
    assert name in found[code]["message"]


def test_a_stored_trigger_whose_variable_is_no_longer_allowed_takes_no_delivery(
    client: TestClient, installation: Any, secret: None
) -> None:
    closed = Wiring(installation.datastore)
    with TestClient(create_app(closed.door(hosts=installation.hosts))) as other:
        answer = other.post(PATH, json={}, headers={"X-Webhook-Secret": WHSEC})
    closed.log.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "secret_unavailable")
    assert client.post(PATH, json={}, headers={"X-Webhook-Secret": WHSEC}).status_code == 202


@pytest.mark.usefixtures("secret")
def test_a_delivery_reads_no_text_of_the_process_that_was_read_before(client: TestClient, installation: Any) -> None:
    body = b'{"item": "pen"}'
    begun(installation, client.post(PATH, content=body, headers=signed(body)))
    with installation.datastore.reading() as connection:
        made = connection.execute(
            """update stored_events set state = '[]' where topic = 'ProcessDrafted'
            and originator_id = (select originator_id from stored_events where topic = 'ProcessPublished')"""
        )
        assert made.rowcount == 1
    begun(installation, client.post(PATH, content=body, headers=signed(body, id="msg_2")))
    assert client.post(PATH, content=body, headers=JSON).status_code == 401
