"""Every function that reads what others send takes time in proportion to its length, and returns or refuses."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest
from starlette.requests import Request

from app.cli.wording import short
from app.documents import read_document
from domain.agents.literals import read_literal
from domain.agents.models import OpenAIChatConfig
from domain.calendar.cron import check_cron
from domain.calendar.durations import parse_duration
from domain.calendar.times import check_time, check_zone
from domain.calendar.zones import parse_time, parse_zone
from domain.jsonvalue import parse_json
from domain.language.expressions.json_text import json_object_in
from domain.money import parse_money
from domain.words import did_you_mean, slip_of
from edge.bodies import media_type
from edge.cookies import readable_cookies
from edge.headers import bearer_token, expected_revision, idempotency_key
from edge.instants import parse_instant, parse_point
from edge.parameters import refuse_parameters
from edge.references import agent_named, execution_named, process_named
from edge.refusals import unknown_filter
from gateway import http, model
from gateway.answers import read_spending
from gateway.channels import is_web_address, read_mail_server
from gateway.event_streams import EventReader
from gateway.exchange import Reply, failure
from gateway.mailboxes import read_mailbox
from gateway.masking import mask
from gateway.openai_chat import OpenAIChat
from gateway.retry_after import read_retry_after
from queries.paging import read_cursor
from tests.laws.growing import Growing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = ("agent", "condition", "depends_on", "id", "message", "on_error", "parameters", "retry", "timeout", "type")
JSON: dict[str, Callable[[int], bytes]] = {
    "numbers": lambda n: b"[" + b"1," * n + b"1]",
    "lists in lists": lambda n: b"[" * n,
    "objects in objects": lambda n: b'{"a":' * n,
    "a long key above many values": lambda n: b'{"' + b"k" * n + b'":[' + b"0," * n + b"0]}",
    "a long key above many keys": lambda n: b'{"%s":{%s}}' % (b"k" * n, b",".join(b'"%d":0' % i for i in range(n))),
    "numbers out of range": lambda n: b"[" + b"1e999," * n + b"1]",
    "NUL": lambda n: b"[" + b'"\\u0000",' * n + b"1]",
    "digits": lambda n: b"9" * n,
    "decimals": lambda n: b"1." + b"9" * n,
    "backslashes": lambda n: b'"' + b"\\\\" * n + b'"',
    "halves of characters": lambda n: b'"' + b"\\ud800" * n + b'"',
    "one key again and again": lambda n: b"{" + b'"a":1,' * n + b'"a":1}',
    "blanks": lambda n: b" " * n,
    "an open text": lambda n: b'"' + b"a" * n,
}
SHORT_TEXTS: dict[str, Callable[[int], str]] = {
    "digits": lambda n: "9" * n,
    "blanks": lambda n: " " * n + "1",
    "commas": lambda n: "," * n,
    "a date and a zone": lambda n: "Wed, 21 Oct 2015 07:28:00 +" + "9" * n,
    "brackets": lambda n: "(" * n,
    "colons": lambda n: "1:" * n,
    "dots": lambda n: "a." * n,
    "signs": lambda n: "+-" * n,
    "instants": lambda n: "2026-01-01T" * n,
    "a period": lambda n: "P" + "1D" * n,
    "hours": lambda n: "1h" * n,
    "slashes": lambda n: "*/" * n,
    "ranges": lambda n: "1-2," * n,
    "at signs": lambda n: "a@" * n,
    "angles": lambda n: "a " * n + "<a@b>",
    "quotes": lambda n: '"' * n,
    "letters": lambda n: "é" * n,
    "an address": lambda n: "http://" + "a:" * n + "@h",
    "percent": lambda n: "%41" * n,
    "escapes": lambda n: 'a="' + '\\"' * n + '"',
}


def _reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, "application/json", None, body, True, NOW)


_CHAT = OpenAIChat(OpenAIChatConfig(base_url="https://a.example", model="m", headers={}, json_mode="object"))


def _streamed(sent: bytes) -> None:
    reader = EventReader(_CHAT.fold())
    for n in range(0, len(sent), 5):
        reader.feed(sent[n : n + 5])
    reader.fold.document()


def _chat(body: bytes) -> bytes:
    return msgspec.json.encode({"choices": [{"message": {"content": body.decode()}}]})


def _request(name: str, value: str) -> Request:
    headers = [(name.encode(), value.encode("latin-1", "replace"))]
    return Request({"type": "http", "headers": headers, "query_string": b"", "method": "GET", "path": "/"})


def _cookies(text: str) -> dict[str, str]:
    headers = readable_cookies([(b"cookie", text.encode("latin-1", "replace"))])
    return Request({"type": "http", "headers": headers}).cookies


def _query(text: str) -> Request:
    scope = {"type": "http", "headers": [], "query_string": text.encode(), "method": "GET", "path": "/"}
    return Request(scope | {"route": None})


READERS: dict[str, Callable[[str], object]] = {
    "retry-after": lambda text: read_retry_after(text, NOW),
    "duration": parse_duration,
    "cron": check_cron,
    "zone": parse_zone,
    "zone of a schedule": check_zone,
    "time of day": check_time,
    "time": parse_time,
    "instant": parse_instant,
    "point": parse_point,
    "cursor": partial(read_cursor, "a"),
    "mailbox": read_mailbox,
    "web address": is_web_address,
    "mail server": read_mail_server,
    "name of an agent": agent_named,
    "name of a process": process_named,
    "id of an execution": execution_named,
    "short": short,
    "literal": read_literal,
    "money": lambda text: parse_money(text, "USD"),
    "JSON in text": json_object_in,
    "suggestion": lambda text: did_you_mean(text, KNOWN),
    "slip": lambda text: slip_of(text, KNOWN),
    "unknown filter": lambda text: unknown_filter(text, KNOWN),
    "content type": lambda text: media_type(_request("content-type", text)),
    "If-Match": lambda text: expected_revision(_request("if-match", text)),
    "Authorization": lambda text: bearer_token(_request("authorization", text)),
    "Cookie": lambda text: _cookies(text),
    "Idempotency-Key": lambda text: idempotency_key(_request("idempotency-key", text)),
}


def cases() -> Iterator[Growing]:
    """Yield every function with every input of its kind."""
    for name, body in JSON.items():
        yield Growing(f"JSON: {name}", parse_json, body, 12_000)
        yield Growing(f"document: {name}", read_document, body, 3_000)
        yield Growing(
            f"answer: {name}", lambda sent: http.read_reply(_reply(b'{"output":' + sent + b"}")), body, 12_000
        )
        yield Growing(f"error: {name}", lambda sent: failure(_reply(sent, 500)), body, 12_000)
        yield Growing(f"spending: {name}", lambda sent: read_spending(b'{"usage":' + sent + b"}"), body, 12_000)
        yield Growing(f"chat: {name}", lambda sent: model.read_reply(_reply(_chat(sent)), _CHAT), body, 12_000)
        yield Growing(f"stream: {name}", lambda sent: _streamed(b"data: " + sent + b"\n\n"), body, 12_000)
        yield Growing(f"stream of many: {name}", lambda sent: _streamed(b"data: {}\n\n" * len(sent)), body, 3_000)
    for name, text in SHORT_TEXTS.items():
        for reader, read in READERS.items():
            yield Growing(f"{reader}: {name}", read, text, 20_000)
        yield Growing(f"masking: {name}", lambda sent: mask(sent.encode(), ["s3cret-\\%x"]), text, 20_000)
        yield Growing(f"query: {name}", lambda sent: refuse_parameters(_query(sent)), text, 5_000)


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    case.require_linear()
