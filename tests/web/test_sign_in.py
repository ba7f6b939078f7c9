"""People sign in with a key; a session ends with its key."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge.sessions import COOKIE, IDLE, LONGEST, BrowserSession, SessionSigner, begin
from store.datastore import Datastore
from tests.api.conftest import Installation, installed
from tests.clocks import TurnedClock
from web.app import PagesBeside, create_pages

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def key(client: TestClient) -> str:
    """The first key, of an admin."""
    made = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]})
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


def sign_in(client: TestClient, key: str, to: str = "/") -> Any:
    return client.post("/sign-in", data={"key": key, "next": to})


def test_without_keys_nobody_signs_in(client: TestClient) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/sign-in").headers["location"] == "/"


@pytest.mark.usefixtures("key")
def test_an_address_that_cannot_be_read_leads_to_the_overview(client: TestClient) -> None:
    client.get("/executions")
    assert client.get("/sign-in", params={"next": "//["}).status_code == 200


def test_a_page_leads_to_the_sign_in_and_back(client: TestClient, key: str) -> None:
    asked = client.get("/executions?status=failed")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fexecutions%3Fstatus%3Dfailed")
    assert 'name="key"' in client.get(asked.headers["location"]).text
    answer = sign_in(client, key, "/executions?status=failed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/executions?status=failed")
    cookie = answer.headers["set-cookie"].lower()
    assert COOKIE in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    page = client.get("/executions")
    assert page.status_code == 200
    assert "Signed in as" in page.text
    assert key not in page.text
    assert client.get("/api/processes").status_code == 200
    client.post("/sign-out")
    assert client.get("/executions").status_code == 303


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_sign_in_leads_nowhere_else(client: TestClient, key: str, to: str) -> None:
    assert sign_in(client, key, to).headers["location"] == "/"


def test_a_wrong_key_is_refused_in_words(client: TestClient, key: str) -> None:
    answer = sign_in(client, key[:-1] + "x")
    assert answer.status_code == 401
    assert "No such key" in answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_a_session_ends_with_its_key(client: TestClient, installation: Installation, key: str) -> None:
    sign_in(client, key)
    other = client.post("/keys", data={"name": "ann", "scopes": "viewer"})
    assert "pp_" in other.text
    installation.project()
    all_keys = f'href="/keys?min_position={installation.log.last_position()}"'
    assert all_keys in other.text
    listed = client.get("/keys").text
    assert "ann" in listed
    shown = other.text.partition("pp_")[2].partition("<")[0]
    viewer = TestClient(client.app, follow_redirects=False)
    sign_in(viewer, f"pp_{shown}")
    assert viewer.get("/executions").status_code == 200
    assert viewer.get("/keys").status_code == 403
    assert 'href="/keys"' not in viewer.get("/executions").text
    id = next(i["key_id"] for i in client.get("/api/keys").json()["items"] if i["name"] == "ann")
    assert client.post(f"/keys/{id}/revoke", data={"reason": "left"}).status_code == 303
    assert viewer.get("/executions").status_code == 303


def test_a_viewer_sees_no_buttons_and_cannot_act(client: TestClient, installation: Installation, key: str) -> None:
    sign_in(client, key)
    made = client.post("/api/keys", json={"name": "ann", "scopes": ["viewer"]}).json()
    viewer = TestClient(client.app, follow_redirects=False)
    sign_in(viewer, made["key"])
    id = "0192f0c1-0000-7000-8000-000000000000"
    assert viewer.post(f"/executions/{id}/cancel", data={"reason": "x"}).status_code == 403
    assert viewer.post("/keys", data={"name": "eve", "scopes": "admin"}).status_code == 403


def test_the_first_key_of_the_page_is_an_admin_key_too(client: TestClient) -> None:
    refused = client.post("/keys", data={"name": "ann", "scopes": "viewer"})
    assert refused.status_code == 409
    assert "admin" in refused.text


def test_a_session_has_an_absolute_and_an_idle_limit() -> None:
    session = begin("key", NOW)
    assert session.valid_at(NOW + IDLE - timedelta(seconds=1))
    assert not session.valid_at(NOW + IDLE)
    kept = session
    at = NOW
    while at < NOW + LONGEST - timedelta(hours=1):
        at += timedelta(hours=1)
        renewed = kept.renewed_at(at)
        assert renewed is not None
        assert renewed.valid_at(at)
        kept = renewed
    assert not kept.valid_at(NOW + LONGEST)
    assert session.renewed_at(NOW + timedelta(minutes=1)) is None


@pytest.mark.parametrize("working", [True, False])
def test_a_browser_signs_in_anew_after_the_limits(installation: Installation, key: str, working: bool) -> None:
    clock = TurnedClock(datetime.now(UTC))
    app = installation.app
    app.state.door = door = dataclasses.replace(app.state.door, clock=clock)
    begun = clock.time
    with TestClient(PagesBeside(app, create_pages(door, app.openapi)), follow_redirects=False) as browser:
        sign_in(browser, key)
        cookie = browser.cookies[COOKIE]
        while clock.time - begun < LONGEST - timedelta(hours=1):
            clock.time += timedelta(hours=1) if working else IDLE - timedelta(seconds=1)
            assert browser.get("/executions").status_code == 200
            if not working:
                break
        clock.time += timedelta(hours=1) if working else IDLE + timedelta(seconds=1)
        assert browser.get("/executions").status_code == 303
        assert browser.get("/api/executions").status_code == 401
        browser.cookies.set(COOKIE, cookie)
        assert browser.get("/executions").status_code == 303


def test_a_cookie_of_somebody_else_is_no_session() -> None:
    signer = SessionSigner(b"secret")
    written = signer.write(begin("key", NOW))
    assert signer.read(written) == BrowserSession("key", int(NOW.timestamp()), int(NOW.timestamp()))
    assert SessionSigner(b"other").read(written) is None
    for wrong in ("", ".", written[:-1], written + "x", "a.b.c", "\x00", "é" * 100):
        assert signer.read(wrong) is None


def test_the_key_of_the_environment_signs_in_until_it_changes(read_tables: Datastore) -> None:
    with installed(read_tables, "k" * 32) as made:
        app = made.app
        with TestClient(PagesBeside(app, create_pages(app.state.door, app.openapi)), follow_redirects=False) as client:
            assert sign_in(client, "k" * 32).status_code == 303
            assert client.get("/").status_code == 200
            cookie = client.cookies[COOKIE]
    with installed(read_tables, "j" * 32) as made:
        app = made.app
        with TestClient(PagesBeside(app, create_pages(app.state.door, app.openapi)), follow_redirects=False) as client:
            client.cookies.set(COOKIE, cookie)
            assert client.get("/").status_code == 303
