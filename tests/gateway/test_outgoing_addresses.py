"""Every outgoing call is checked at its connection, on the address that its name stands for at that moment."""

import queue
import socket
from datetime import timedelta
from typing import Any

import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.address_entries import read_entries
from domain.agents.addresses import AddressRules
from domain.agents.calls import AbandonedAttempt, Completed
from domain.agents.policy import OutgoingPolicy
from gateway.channels import Channels, read_mail_server
from gateway.gateway import AgentGateway
from gateway.mailboxes import read_mailbox


def policy(allow: str | None = None, deny: str = "") -> OutgoingPolicy:
    return OutgoingPolicy(addresses=AddressRules(None if allow is None else read_entries(allow), read_entries(deny)))


@pytest.fixture
def under(rig):
    """under(policy, channels): the rig with a gateway under these rules."""
    made = []

    def begin(rules: OutgoingPolicy, **channels: Any):
        rig.gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base=None, policy=rules, channels=Channels(**channels))
        made.append(rig.gateway)
        return rig

    first = rig.gateway
    yield begin
    rig.gateway = first
    for gateway in made:
        gateway.close(grace=timedelta())


@pytest.fixture
def names(monkeypatch):
    """Names that the resolver of this process knows, each with its addresses; they may change between two calls."""
    known: dict[str, list[str]] = {}
    asked: list[str] = []
    original = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **more):
        if host not in known:
            return original(host, port, *args, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    known["asked"] = asked
    return known


@pytest.fixture(params=["http", "chat"])
def kind(request):
    return request.param


def agent(rig, kind: str, host: str = "127.0.0.1") -> dict[str, Any]:
    """An agent of a kind at the server, which is reached under the name `host`."""
    url = rig.server.url.replace("127.0.0.1", host)
    if kind == "chat":
        return rig.config(kind="openai_chat", base_url=url, model="m")
    return rig.config(kind="http", url=url)


def denied(answer: Any) -> bool:
    return answer.error.code == "address_denied" and answer.error.permanent


@pytest.mark.parametrize(
    "rules", [policy(deny="127.0.0.0/8"), policy("192.0.2.0/24"), policy("agents.example"), policy("127.0.0.1:1")]
)
def test_a_denied_address_is_a_permanent_failure_and_nothing_is_sent(under, kind, rules):
    rig = under(rules)
    answer = rig.ask(agent(rig, kind))
    assert denied(answer)
    assert "127.0.0.1" in answer.error.message
    assert "PROCESSION_OUTGOING_DENY" in answer.error.message
    assert rig.server.requests == []


@pytest.mark.parametrize("host", ["0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "2130706433.", "0177.1."])
def test_no_way_of_writing_an_address_passes(under, host):
    rig = under(policy(deny="127.0.0.0/8, ::1"))
    assert denied(rig.ask({"kind": "http", "url": rig.server.url.replace("127.0.0.1", host)} | {"headers": {}}))
    assert rig.server.requests == []


def test_an_allowed_address_and_an_allowed_name_are_called(under, names):
    rig = under(policy("127.0.0.1, agents.example"))
    rig.server.always(rig.response(200, {"output": 1}))
    names["agents.example"] = ["127.0.0.1"]
    assert rig.ask(agent(rig, "http")) == Completed(1)
    assert rig.ask(agent(rig, "http", "agents.example")) == Completed(1)


def test_a_name_that_stands_for_a_denied_address_is_denied_and_for_another_one_is_called(under, names):
    rig = under(policy())
    rig.server.always(rig.response(200, {"output": 1}))
    names["agents.example"] = ["169.254.169.254"]
    assert denied(rig.ask(agent(rig, "http", "agents.example")))
    names["agents.example"] = ["169.254.169.254", "127.0.0.1"]
    assert rig.ask(agent(rig, "http", "agents.example")) == Completed(1)


def test_a_name_is_resolved_once_and_the_resolved_address_is_connected_to(under, names):
    """A name that stands for an allowed address when it is checked cannot stand for another one when it is used."""
    rig = under(policy(deny="169.254.0.0/16"))
    rig.server.always(rig.response(200, {"output": 1}))
    names["agents.example"] = ["127.0.0.1"]
    assert rig.ask(agent(rig, "http", "agents.example")) == Completed(1)
    assert names["asked"] == ["agents.example"]


def test_redirects_to_anywhere_are_not_followed(under):
    rig = under(policy())
    rig.server.always(rig.response(307, b"", location="http://169.254.169.254/latest"))
    assert rig.ask(agent(rig, "http")).error.code == "agent_redirected"


def test_a_proxy_does_not_bypass_the_rules(under, names, monkeypatch):
    """The server serves as the proxy."""
    rig = under(policy(deny="10.0.0.0/8, secret.example"))
    monkeypatch.setenv("HTTP_PROXY", rig.server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    rig.server.always(rig.response(200, {"output": 1}))
    names["inside.example"], names["outside.example"] = ["10.0.0.1"], ["192.0.2.1"]
    for host in ("10.0.0.1", "169.254.169.254", "secret.example", "inside.example", "0xa9fea9fe"):
        assert denied(rig.ask({"kind": "http", "url": f"http://{host}/", "headers": {}})), host
    assert rig.server.requests == []
    assert rig.ask({"kind": "http", "url": "http://outside.example/", "headers": {}}) == Completed(1)
    assert rig.server.requests[0].path == "http://outside.example/"


def test_notices_of_abandoned_attempts_are_checked(under):
    rig = under(policy(deny="127.0.0.1"))
    notified: queue.SimpleQueue[bool] = queue.SimpleQueue()
    abandoned = AbandonedAttempt(rig.execution_id, "write", 2, "writer", "step_timed_out")
    rig.gateway.notify_abandoned(abandoned, rig.http(cancel_url=f"{rig.server.url}/stop"), notified.put)
    assert notified.get(timeout=120) is True
    assert rig.server.requests == []


@pytest.mark.parametrize("channel", ["webhook", "slack", "email"])
def test_channels_are_checked(under, rig, channel):
    port = rig.server.url.rpartition(":")[2]
    rig = under(
        policy(deny="127.0.0.1, localhost"),
        webhook_secret="whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
        slack_url=f"{rig.server.url}/slack-secret",
        mail=read_mail_server(f"smtp://127.0.0.1:{port}"),
        sender=read_mailbox("a@example.org"),
    )
    parameters = {"channels": [channel], "recipients": ["b@example.org"], "url": f"{rig.server.url}/hook"}
    rig.gateway.notify(rig.call(agent="", parameters=parameters), rig.deliveries)
    answer = rig.deliveries.next()
    assert denied(answer)
    assert "slack-secret" not in answer.error.message
    assert rig.server.requests == []


def test_a_name_that_does_not_resolve_is_a_failure_that_may_pass(under):
    rig = under(policy())
    error = rig.ask({"kind": "http", "url": "http://no.such.host.invalid/", "headers": {}}).error
    assert (error.code, error.permanent) == ("agent_unreachable", False)


def test_an_address_that_refuses_leaves_time_for_the_next(under, names):
    rig = under(policy())
    rig.server.always(rig.response(200, {"output": 1}))
    names["agents.example"] = ["127.0.0.2", "127.0.0.1"]
    assert rig.ask(agent(rig, "http", "agents.example")) == Completed(1)
