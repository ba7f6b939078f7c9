"""The parts that every kind of model shares: its address, its headers, its message, and the meaning of its text."""

from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed
from gateway.answers import check_answer, read_json, read_spending
from gateway.exchange import Reply, failure, post
from gateway.failures import AnswerMalformed, malformed, refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing
from gateway.streams import Assemble, read_answer
from gateway.usage.counts import Measured


class ModelContract(Protocol):
    """The contract of one kind of model."""

    @property
    def reserved(self) -> frozenset[str]:
        """The fields that a step may not set."""

    @property
    def path(self) -> str:
        """The path below the base address."""

    @property
    def assemble(self) -> Assemble:
        """The function that puts a streamed answer together."""

    def headers(self, disclosed: Disclosed) -> dict[str, str]:
        """Return the headers of its own. Raises SecretMissing."""

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return the body of a request, without the parameters of the call."""

    def measure(self, answer: dict[str, Any]) -> Measured:
        """Return the usage in an answer. Raises AnswerMalformed."""

    def text(self, answer: dict[str, Any], measured: Measured) -> str | Failed:
        """Return the text of an answer, or the failure that it states. Raises AnswerMalformed."""


class Model:
    """One model at one address. as_json: its text holds a JSON value, which is the output."""

    def __init__(self, contract: ModelContract, config: Any, outgoing: Outgoing) -> None:
        self._contract = contract
        self._config = config
        self._outgoing = outgoing
        parts = urlsplit(config.base_url)
        self._url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + contract.path))

    async def answer(self, call: AgentCall) -> Answer:
        """Return the model's answer to `call`."""
        contract = self._contract
        if taken := sorted(contract.reserved.intersection(call.parameters)):
            return refused("parameter_reserved", f"the parameter {taken[0]} is set by the agent's configuration")
        disclosed = Disclosed(self._outgoing.policy.secrets)
        try:
            headers = disclosed.resolve_all(self._config.headers) | contract.headers(disclosed)
        except SecretMissing as missing:
            return refused(missing.code, str(missing))
        headers |= {"Accept": "application/json", "Idempotency-Key": call.idempotency_key}
        body = msgspec.json.encode(contract.request(call) | call.parameters)
        reply = await post(self._outgoing, self._url, headers, body, self._config.deadline, disclosed)
        if isinstance(reply, Failed):
            return reply
        as_json = self._config.json_mode != "off"
        return await reply.read(partial(read_model_reply, contract=contract, as_json=as_json))


def message_of(call: AgentCall) -> str:
    """Return the message of a call as text: a value that is none goes as its JSON."""
    return call.message if isinstance(call.message, str) else msgspec.json.encode(call.message).decode()


def read_model_reply(reply: Reply, *, contract: ModelContract, as_json: bool) -> Answer:
    """Return the answer that the reply means: 200 holds an answer of the contract, anything else is a failure."""
    if reply.status != 200:
        return failure(reply)
    measured = Measured()
    try:
        answer = read_answer(reply, contract.assemble)
        if not isinstance(answer, dict):
            raise AnswerMalformed("it is not an object")
        measured = contract.measure(answer)
        text = contract.text(answer, measured)
        if isinstance(text, Failed):
            return text
        if not as_json:
            return Completed(text, usage=measured.usage, metered=measured.metered)
        value = read_json(text.encode())
        check_answer(value)
        return Completed(value, usage=measured.usage, metered=measured.metered)
    except AnswerMalformed as error:
        # The tokens are spent even if the answer is unusable.
        if measured == Measured():
            measured = Measured(*read_spending(reply.body)[::2])
        return malformed(str(error), usage=measured.usage, metered=measured.metered)
