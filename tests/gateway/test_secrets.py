"""Secrets reach the agent and nothing else."""

import msgspec
import pytest

from domain.agents.calls import Completed, Failed

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
