"""Notifications by webhook and to Slack: what receivers get, and what their answers mean."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.agents.calls import Completed

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PATH = "/services/T0/B0/hook-that-nobody-may-know"
ID = "01890000-0000-7000-8000-000000000001:tell:webhook"


def is_signed(request):
    """Checked as the specification tells receivers to."""
    id, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(at) - time.time()) < 60
    expected = base64.b64encode(hmac.new(KEY, f"{id}.{at}.".encode() + request.body, hashlib.sha256).digest())
    return request.headers["webhook-signature"] == f"v1,{expected.decode()}"


def test_a_webhook_tells_what_happened_where_and_is_signed(webhook, server):
    before = datetime.now(UTC)
    assert webhook.notify("webhook", message="Grüße", subject="News") == webhook.delivered("webhook")

    request = server.requests[0]
    sent = request.json
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(sent.pop("timestamp")) <= datetime.now(UTC)
    assert sent == {
        "type": "notification",
        "data": {
            "execution_id": "01890000-0000-7000-8000-000000000001",
            "step": "tell",
            "process": "letters",
            "version": 3,
            "message": "Grüße",
            "subject": "News",
        },
    }
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == request.headers["idempotency-key"] == ID
    assert is_signed(request)


def test_a_webhook_without_a_subject_has_none(webhook, server):
    webhook.notify("webhook")
    assert "subject" not in server.requests[0].json["data"]


def test_slack_gets_a_text(slack, server):
    assert slack.notify("slack", message="*done* & <well>") == slack.delivered("slack")
    request = server.requests[0]
    assert (request.path, request.json) == (PATH, {"text": "*done* & <well>"})
    assert request.headers["idempotency-key"] == request.headers["webhook-id"] == ID.replace("webhook", "slack")
    assert "webhook-signature" not in request.headers


def test_slack_is_signed_when_there_is_a_secret(both, server):
    assert both.notify("slack") == both.delivered("slack")
    assert is_signed(server.requests[0])


def test_every_attempt_has_the_same_id(webhook, server):
    for attempt in (1, 2, 7):
        assert webhook.notify("webhook", attempt=attempt) == webhook.delivered("webhook")
    assert {request.headers["webhook-id"] for request in server.requests} == {ID}


def test_the_id_of_a_compensation_has_no_full_stop(webhook, server):
    answer = webhook.notify("webhook", step="tell.compensation")
    id = ID.replace("tell", "tell:compensation")
    assert answer == Completed({"delivered": [{"channel": "webhook", "id": id}]})
    assert server.requests[0].headers["webhook-id"] == id
    assert is_signed(server.requests[0])


def test_the_steps_address_goes_before_the_configured_one(webhook, server):
    assert webhook.notify("webhook", url=f" {server.url}/other\n") == webhook.delivered("webhook")
    assert server.requests[0].path == "/other"


def test_a_webhook_needs_an_address_from_somewhere(notifier, server, rig):
    server.always(rig.response(204))
    addressed = notifier(webhook_secret=SECRET)
    error = addressed.notify("webhook").error
    assert (error.code, error.permanent) == ("no_url", True)
    assert addressed.notify("webhook", url=f"{server.url}/hook") == addressed.delivered("webhook")


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.org/", "https://", "example.org", "http://a b/", "http://a:99999/", "http://x\ny/", 7, "//h"],
)
def test_an_address_that_is_none_is_a_permanent_failure(webhook, server, url):
    error = webhook.notify("webhook", url=url).error
    assert (error.code, error.permanent, error.details) == ("url_invalid", True, {"channel": "webhook"})
    assert server.requests == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_says_that_it_was_accepted(webhook, server, rig, status):
    server.always(rig.response(status))
    assert webhook.notify("webhook") == webhook.delivered("webhook")


@pytest.mark.parametrize("channel", ["webhook", "slack"])
@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (302, "agent_redirected", True),
        (400, "agent_refused", True),
        (404, "agent_refused", True),
        (410, "agent_refused", True),
        (429, "agent_rate_limited", False),
        (500, "agent_error", False),
        (503, "agent_unavailable", False),
    ],
)
def test_a_status_says_whether_to_try_again(both, server, rig, channel, status, code, permanent):
    server.always(rig.response(status, b"because", content_type="text/plain", location="/hook"))
    error = both.notify(channel).error
    assert (error.code, error.permanent) == (code, permanent)
    assert error.details == {"channel": channel, "status": status}
    assert error.message.startswith({"webhook": "the webhook", "slack": "Slack"}[channel] + f" answered {status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_says_when_to_try_again(slack, server, rig, status):
    server.always(rig.response(status, b"", retry_after="17"))
    assert slack.notify("slack").error.retry_after == timedelta(seconds=17)


def test_a_receiver_that_hangs_up_may_be_tried_again(webhook, server):
    server.always(None)
    error = webhook.notify("webhook").error
    assert (error.code, error.permanent) == ("agent_unreachable", False)


def test_a_receiver_that_says_too_much_is_cut_short(webhook, server, rig):
    server.always(rig.response(500, b"x" * 3_000_000, content_type="text/plain"))
    error = webhook.notify("webhook").error
    assert error.code == "agent_error"
    assert len(error.message) < 600


@settings(max_examples=30)
@given(text=st.text(max_size=300))
def test_any_text_arrives_as_it_is_and_signed(webhook, server, text):
    assert webhook.notify("webhook", message=text) == webhook.delivered("webhook")
    assert server.requests[-1].json["data"]["message"] == text
    assert is_signed(server.requests[-1])


def test_a_message_that_is_no_text_goes_as_its_json(slack, server):
    slack.notify("slack", message={"a": [1, None]})
    assert server.requests[0].json == {"text": '{"a":[1,null]}'}
