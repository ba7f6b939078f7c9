"""Notifications in general: under way, cancelled, through several channels, and what is never told of them."""

import asyncio
import threading
from datetime import timedelta

import pytest

from domain.agents.calls import Failed
from domain.language.types.steps.delivery import CHANNELS
from gateway.channels import Channels, MailServer
from gateway.mailboxes import read_mailbox

PATH = "/services/T0/B0/hook-that-nobody-may-know"


@pytest.mark.parametrize("channel", ["webhook", "slack", "email", "pigeon"])
def test_a_channel_that_is_not_configured_is_a_permanent_failure(notifier, channel):
    answer = notifier().notify(channel)
    assert isinstance(answer, Failed)
    assert (answer.error.code, answer.error.permanent) == ("channel_not_configured", True)
    assert channel in answer.error.message
    assert answer.error.details == {"channel": channel}


def test_naming_no_channel_is_a_permanent_failure(webhook):
    error = webhook.notify().error
    assert (error.code, error.permanent) == ("channel_not_configured", True)


def test_several_channels_are_told_in_order(both, server):
    assert both.notify("slack", "webhook") == both.delivered("slack", "webhook")
    assert [request.path for request in server.requests] == [PATH, "/hook"]


def test_no_channel_is_told_when_one_never_can_be(webhook, server):
    assert webhook.notify("webhook", "slack").error.code == "channel_not_configured"
    assert server.requests == []


def test_the_channel_that_fails_is_named_and_ends_it(both, server, rig):
    async def hook_is_down(request):
        return rig.response(503) if request.path == "/hook" else rig.response(204)

    server.respond = hook_is_down
    for attempt in (1, 2):
        error = both.notify("slack", "webhook", attempt=attempt).error
        assert (error.code, error.details) == ("agent_unavailable", {"channel": "webhook", "status": 503})
    ids = [request.headers["webhook-id"].rpartition(":")[2] for request in server.requests]
    assert ids == ["slack", "webhook"] * 2


def test_a_cancelled_notification_is_hung_up_and_never_delivered(webhook, server, rig):
    arrived = threading.Event()

    async def never(request):
        arrived.set()
        await asyncio.Event().wait()

    server.respond = never
    webhook.begin("webhook")
    assert arrived.wait(60)
    assert webhook.gateway.open_calls() == 1

    webhook.gateway.cancel(rig.execution_id, "tell", 1)

    assert webhook.gateway.open_calls() == 0
    assert server.closed_by_peer.wait(60)
    webhook.gateway.close(grace=timedelta(seconds=60))
    assert webhook.deliveries.empty()


def test_nothing_is_told_after_closing(webhook, server):
    webhook.gateway.close(grace=timedelta())
    for channel in ("webhook", "slack"):
        with pytest.raises(RuntimeError, match="closed"):
            webhook.begin(channel)
    assert server.requests == []


def test_an_attempt_under_way_is_not_told_twice(webhook, server, rig):
    release = asyncio.Event()

    async def wait(request):
        await release.wait()
        return rig.response(204)

    server.respond = wait
    webhook.begin("webhook")
    webhook.begin("webhook")
    server.loop.call_soon_threadsafe(release.set)
    assert webhook.deliveries.next() == webhook.delivered("webhook")
    webhook.gateway.close(grace=timedelta(seconds=60))
    assert webhook.deliveries.empty()
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 503])
@pytest.mark.parametrize("part", ["whole", "path", "end"])
def test_a_receiver_that_repeats_the_address_does_not_get_it_recorded(slack, server, rig, status, part, caplog):
    said = {"whole": server.url + PATH, "path": PATH, "end": PATH.rpartition("/")[2]}[part]
    server.always(rig.response(status, {"error": f"no hook {said}"}))
    caplog.set_level("INFO", logger="procession")
    error = slack.notify("slack").error
    assert "no hook" in error.message
    assert "hook-that-nobody" not in repr(error) + caplog.text


def test_what_cannot_be_reached_is_not_named(notifier):
    told = notifier(slack_url="http://127.0.0.1:1/services/hook-that-nobody-may-know")
    error = told.notify("slack").error
    assert (error.code, error.permanent) == ("agent_unreachable", False)
    assert "hook-that" not in repr(error)


def test_channels_do_not_show_when_printed():
    server = MailServer("mail.example", 587, user="ann", password="pass-nobody-knows")
    channels = Channels(
        "sign-nobody", "https://h/hook-nobody", "https://s/hook-nobody", server, read_mailbox("a@b.example")
    )
    assert channels.configured == set(CHANNELS)
    assert "nobody" not in repr(channels) + repr(server)
    assert Channels().configured == set()
