"""Models behind HTTP: what all protocols of models share; each protocol is a dialect in a file of its own.

The step's message is the user's message (a value that is not a text goes as its JSON); its parameters are fields of the
request and win over the agent's own. The output is the answer's text, or, in a JSON mode, the value it holds.
"""

import json
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed
from domain.agents.models import ModelConfig
from gateway.answers import check_answer, read_json
from gateway.event_streams import EventReader, StreamFold
from gateway.exchange import Reply, failure, post
from gateway.failures import AnswerMalformed, malformed, refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing
from gateway.usage.counts import Measured


class Dialect(Protocol):
    """The protocol of one kind of model. path: below the base URL. reserved: parameters that a step cannot set."""

    path: str
    reserved: frozenset[str]

    def headers(self, api_key: str | None) -> dict[str, str]:
        """Return the headers of a request beside those of the agent. api_key: resolved."""

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return the body of the request, without the parameters of the step."""

    def measure(self, body: dict[str, Any]) -> Measured:
        """Return the usage that a complete answer, or the beginning of one, reports. Raises AnswerMalformed."""

    def read(self, body: dict[str, Any], measured: Measured) -> Answer:
        """Return the answer that the document of a reply with status 200 means. Raises AnswerMalformed."""

    def fold(self) -> StreamFold:
        """Return an empty fold of the events of a stream."""


class Model:
    """One model at one address, called in one dialect."""

    def __init__(self, config: ModelConfig, dialect: Dialect, outgoing: Outgoing) -> None:
        self._config = config
        self._dialect = dialect
        self._outgoing = outgoing
        parts = urlsplit(config.base_url)
        self.url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + dialect.path))

    async def answer(self, call: AgentCall) -> Answer:
        """Return the model's answer to `call`."""
        disclosed = Disclosed(self._outgoing.policy.secrets)
        headers = self.headers_for(call, disclosed)
        if isinstance(headers, Failed):
            return headers
        body = msgspec.json.encode(self._dialect.request(call) | call.parameters)
        events = EventReader(self._dialect.fold())
        try:
            reply = await post(self._outgoing, self.url, headers, body, self._config.deadline, disclosed, events=events)
            if events.size and not isinstance(reply, Failed) and not events.fold.complete:
                raise AnswerMalformed("the stream ended before its end")
        except AnswerMalformed as error:
            # The tokens are spent even if the answer is unusable.
            spent = self._spent(events)
            return malformed(disclosed.mask_text(str(error)), spent.usage, metered=spent.metered)
        if isinstance(reply, Failed):
            spent = self._spent(events)
            return msgspec.structs.replace(reply, usage=spent.usage, metered=spent.metered)
        return await reply.read(partial(read_reply, dialect=self._dialect))

    def headers_for(self, call: AgentCall, disclosed: Disclosed) -> dict[str, str] | Failed:
        """Return the headers of a request for `call`, or why there can be none."""
        if taken := sorted(self._dialect.reserved.intersection(call.parameters)):
            return refused("parameter_reserved", f"the parameter {taken[0]} is set by the agent's configuration")
        try:
            headers = disclosed.resolve_all(self._config.headers)
            key = None if self._config.api_key is None else disclosed.resolve(self._config.api_key)
        except SecretMissing as missing:
            return refused(missing.code, str(missing))
        headers |= self._dialect.headers(key)
        return headers | {"Accept": "application/json", "Idempotency-Key": call.idempotency_key}

    def _spent(self, events: EventReader) -> Measured:
        """Return the usage of a stream as far as it came."""
        return _measured(self._dialect, events.fold.document()) if events.size else Measured()


def read_reply(reply: Reply, dialect: Dialect) -> Answer:
    """Return the answer that the reply means: 200 holds an answer of the model, anything else is a failure."""
    if reply.status != 200:
        return failure(reply)
    body: Any = None
    try:
        body = read_json(reply.content())
        if not isinstance(body, dict):
            raise AnswerMalformed("it is not an object")
        return dialect.read(body, dialect.measure(body))
    except AnswerMalformed as error:
        if body is None:
            body = _unstorable(reply.body)
        spent = _measured(dialect, body) if isinstance(body, dict) else Measured()
        return malformed(str(error), spent.usage, metered=spent.metered)


def completed(text: str, measured: Measured, config: ModelConfig) -> Answer:
    """Return the answer whose text this is: the text itself, or the value that it holds. Raises AnswerMalformed."""
    if config.json_mode == "off":
        return Completed(text, usage=measured.usage, metered=measured.metered)
    value = read_json(text.encode())
    check_answer(value)
    return Completed(value, usage=measured.usage, metered=measured.metered)


def refusal(text: str, measured: Measured) -> Failed:
    """Return the failure that a model's refusal is."""
    error = refused("agent_refused", f"the model refused: {text[:500]}").error
    return Failed(error, usage=measured.usage, metered=measured.metered)


def text_of(message: Any) -> str:
    """Return the text of a step's message."""
    return message if isinstance(message, str) else msgspec.json.encode(message).decode()


def _measured(dialect: Dialect, body: dict[str, Any]) -> Measured:
    """Return the usage in a document that is unusable otherwise, if it can be read and stored."""
    try:
        measured = dialect.measure(body)
        if measured.usage is not None:
            check_answer(measured.usage.raw)
        check_answer(msgspec.to_builtins(measured.metered, str_keys=True))
    except AnswerMalformed:
        return Measured()
    return measured


def _unstorable(body: bytes) -> Any:
    """Return a document of which parts cannot be stored; None if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
