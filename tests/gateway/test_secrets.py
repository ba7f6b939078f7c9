"""Secrets reach the agent and nothing else."""

import base64
import html
import queue
import urllib.parse

import msgspec
import pytest

from domain.agents.calls import AbandonedAttempt, Completed, Failed

SECRET = 'key-zq"3a/wxyk'


@pytest.fixture(params=["http", "chat"])
def keyed(request, rig, monkeypatch):
    """An agent of each kind that is called with a secret header."""
    monkeypatch.setenv("WRITER_KEY", SECRET + "\n")
    if request.param == "chat":
        return rig.chat(api_key="${WRITER_KEY}")
    return rig.http(headers={"Authorization": "Bearer ${WRITER_KEY}", "X-Team": "letters"})


def test_a_reference_is_resolved_when_the_agent_is_called(rig, keyed, monkeypatch):
    rig.server.always(rig.response(500))
    rig.ask(keyed)
    monkeypatch.setenv("WRITER_KEY", "rotated-since")
    rig.ask(keyed)

    sent = [request.headers["authorization"] for request in rig.server.requests]
    assert sent == [f"Bearer {SECRET}", "Bearer rotated-since"]


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("form", ["json", "escaped", "inner", "text"])
def test_an_agent_that_repeats_the_secret_does_not_get_it_recorded(rig, keyed, status, form):
    said = {"error": f"no such key {SECRET}", "output": SECRET}
    said["choices"] = [{"message": {"content": SECRET}}]
    body = f"your key is {SECRET}".encode() if form == "text" else msgspec.json.encode(said)
    if form == "escaped":
        body = body.replace(b"/", b"\\/").replace(b"key-", b"\\u006B\\u0065y-")
    if form == "inner":
        body = msgspec.json.encode({"output": body.decode(), "choices": [{"message": {"content": body.decode()}}]})
    kind = "text/plain" if form == "text" else "application/json"
    rig.server.always(rig.response(status, body, content_type=kind))

    answer = rig.ask(keyed)

    assert isinstance(answer, Completed | Failed)
    for seen in (repr(answer), msgspec.json.encode(answer).decode(), repr(rig.gateway.__dict__)):
        assert "zq" not in seen
        assert "wxyk" not in seen


@pytest.mark.parametrize("name", ["SOMEBODYS_KEY", "writer_key", "procession_api_key", "Database_Url", "pgpassword"])
@pytest.mark.parametrize("kind", ["http", "chat", "notice"])
def test_a_stored_agent_that_refers_to_a_variable_that_is_not_allowed_gets_nothing(rig, monkeypatch, kind, name):
    monkeypatch.setenv(name, "very secret value")
    reference = f"${{{name}}}"
    if kind == "notice":
        notified = queue.SimpleQueue()
        abandoned = AbandonedAttempt(rig.execution_id, "write", 2, "writer", "step_timed_out")
        config = rig.http(cancel_url=f"{rig.server.url}/stop", headers={"X-Key": reference})
        rig.gateway.notify_abandoned(abandoned, config, notified.put)
        assert notified.get(timeout=120) is True
    else:
        config = rig.chat(api_key=reference) if kind == "chat" else rig.http(headers={"X-Key": reference})
        error = rig.ask(config).error
        assert error.permanent
        assert error.code == "secret_not_allowed"
        assert name in error.message
    assert rig.server.requests == []


@pytest.mark.parametrize(
    "form",
    [
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote(SECRET).lower(),
        "".join(f"%{ord(character):02x}" for character in SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"ab:{SECRET}:c".encode()).decode().replace("/", "\\/"),
        base64.urlsafe_b64encode(f"a:{SECRET}".encode()).decode(),
        html.escape(SECRET),
    ],
)
@pytest.mark.parametrize("where", ["output", "error", "header"])
def test_no_usual_encoding_of_the_secret_is_recorded(rig, keyed, form, where):
    inner = form.replace("%", "").replace("&quot;", "")[6:14]
    if where == "header":
        rig.server.always(rig.response(200, b"{}", content_type=f"text{form}"))
    else:
        body = f'{{"{where}": "is {form} right", "choices": [{{"message": {{"content": "{form}"}}}}]}}'
        rig.server.always(rig.response(200 if where == "output" else 400, body.encode()))
    answer = rig.ask(keyed)
    assert inner not in msgspec.json.encode(answer).decode()


@pytest.mark.parametrize("value", [None, "", "two\nlines-secret", "gr\u00fcn-secret"])
def test_a_secret_that_is_missing_or_unusable_is_a_permanent_failure_that_names_the_variable(
    rig, keyed, monkeypatch, value
):
    if value is None:
        monkeypatch.delenv("WRITER_KEY")
    else:
        monkeypatch.setenv("WRITER_KEY", value)

    error = rig.ask(keyed).error

    assert (error.code, error.permanent) == ("secret_missing", True)
    assert "WRITER_KEY" in error.message
    assert "secret" not in error.message
    assert rig.server.requests == []
