"""The parts of an agent's answer: output, usage and cost, checked so that every accepted value can be stored."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from domain.agents.calls import Usage
from domain.costs.flags import AMOUNT_AS_NUMBER, USAGE_IMPOSSIBLE
from domain.costs.usage import Metered
from domain.jsonvalue import check_storable, parse_json
from domain.money import Money, parse_money
from domain.refusal import Malformed
from gateway.failures import AnswerMalformed, summary
from gateway.usage.counts import Measured
from gateway.usage.ours import measure_ours


def read_json(body: bytes) -> Any:
    """Return the JSON value of `body`, fit to be stored. Raises AnswerMalformed."""
    try:
        value = parse_json(body)
    except Malformed as error:
        raise AnswerMalformed(summary(error)) from None
    refuse_nul(value)
    return value


def read_text(body: bytes) -> str:
    """Return the UTF-8 text of `body`, fit to be stored. Raises AnswerMalformed."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise AnswerMalformed(f"byte {error.start} is not UTF-8") from None
    check_answer(text)
    return text


def check_answer(value: Any) -> None:
    """Raise AnswerMalformed when the JSON `value` cannot be stored and read back the same."""
    try:
        check_storable(value)
    except Malformed as error:
        raise AnswerMalformed(summary(error)) from None
    refuse_nul(value)


def refuse_nul(value: Any) -> None:
    """Raise AnswerMalformed when a text or key inside `value` holds NUL, which PostgreSQL's texts cannot."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if "\x00" in item:
                raise AnswerMalformed("a text holds a NUL character")
        elif isinstance(item, dict):
            todo.extend(item)
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def read_usage(reported: Any) -> Usage | None:
    """Return the token counts, from ``input_tokens``/``output_tokens`` or ``prompt_tokens``/``completion_tokens``.

    Cached tokens are those read from a cache, a part of the input. The report itself is kept as `raw`. None for null.
    Raises AnswerMalformed when it is not an object or a count is not a whole number from 0.
    """
    return measure_ours(reported, strict=True).usage


class Spending(NamedTuple):
    """The use and the cost in an answer, each as far as it can be read."""

    usage: Usage | None = None
    cost: Money | None = None
    metered: Metered | None = None


def read_spending(body: bytes) -> Spending:
    """Return the usage and the cost in an answer that is unusable otherwise, each as far as it can be read."""
    measured = Measured()
    cost: Money | None = None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        with suppress(AnswerMalformed):
            measured = measure_ours(value.get("usage"))
        with suppress(AnswerMalformed):
            cost = read_cost(value.get("cost"), body)
    return Spending(_without_unstorable(measured.usage), cost, _storable(measured.metered))


def noted(metered: Metered | None, value: dict[str, Any]) -> Metered | None:
    """Return what is known of a use, with a flag if the cost in an answer is a JSON number, not a text."""
    cost = value.get("cost")
    if not isinstance(cost, dict) or isinstance(cost.get("amount"), str):
        return metered
    metered = metered or Metered()
    return msgspec.structs.replace(metered, flags=[*metered.flags, AMOUNT_AS_NUMBER])


def _storable(metered: Metered | None) -> Metered | None:
    """Return what is known of a use, unless PostgreSQL cannot store it."""
    if metered is not None:
        try:
            check_answer(msgspec.to_builtins(metered))
        except AnswerMalformed:
            return Metered(flags=[USAGE_IMPOSSIBLE])
    return metered


def _without_unstorable(usage: Usage | None) -> Usage | None:
    """Return the counts without the report itself, if PostgreSQL cannot store that."""
    if usage is not None:
        try:
            check_answer(usage.raw)
        except AnswerMalformed:
            return Usage(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    return usage


def read_cost(reported: Any, body: bytes) -> Money | None:
    """Return the exact amount in the ``cost`` member `reported` of the JSON object `body`; None for null.

    A JSON number is read from the text again as a decimal: it never passes through a float. Raises AnswerMalformed.
    """
    if reported is None:
        return None
    if not isinstance(reported, dict):
        raise AnswerMalformed('cost is not an object like {"amount": "0.0049", "currency": "USD"}')
    amount = reported.get("amount")
    if isinstance(amount, float):
        amount = json.loads(body, parse_float=Decimal)["cost"]["amount"]
    try:
        cost = parse_money(amount, reported.get("currency"))
    except ValueError as error:
        raise AnswerMalformed(f"cost: {error}") from None
    if cost.amount < 0:
        raise AnswerMalformed("cost: the amount is negative")
    return cost
