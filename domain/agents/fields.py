"""The types of values in an agent's configuration."""

import re
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from domain.agents.references import check_references, check_secret, is_secret_name, resembles_secret
from domain.calendar.durations import parse_duration, print_duration
from domain.jsonvalue import MOST_PROBLEMS
from domain.money import Money, parse_money

MOST_HEADERS = 50
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_BRACKETED = re.compile(r"(?:[^@]*@)?\[[0-9A-Fa-f:.]+\](?::\d*)?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?")
_OURS = re.compile(
    r"accept|accept-encoding|connection|content-length|content-type|expect|host|idempotency-key|te|trailer"
    r"|transfer-encoding|upgrade|x-procession-deadline"
)


def _plain(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a text holds no NUL and no half of a surrogate pair")
    return text


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.port != 0 and _is_host(parts.hostname or "", parts.netloc)
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise PydanticCustomError("invalid_url", "an address starts with http:// or https:// and names a host")
    if "@" in parts.netloc or any(is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise PydanticCustomError(
            "secret_not_a_reference", "an address holds no password or key; send it in a header as a reference, ${NAME}"
        )
    if parts.fragment or "${" in url:
        raise PydanticCustomError("invalid_url", "an address has no fragment and no references")
    return url


def _is_host(host: str, place: str) -> bool:
    """Return whether `host`, written as `place` (with brackets and port), is the name or the number of a host."""
    if "[" in place:
        return _BRACKETED.fullmatch(place) is not None and isinstance(ip_address(host), IPv6Address)
    if host.rpartition(".")[2].isdigit():
        return isinstance(ip_address(host), IPv4Address)
    return len(host) <= 253 and _HOST_NAME.fullmatch(host) is not None


def _check_headers(headers: dict[str, str]) -> dict[str, str]:
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for name, value in headers.items():
        try:
            _check_header(name, value)
        except PydanticCustomError as error:
            found.append((error.type, error.message(), name))
        if name.lower() in seen:
            found.append(("duplicate_key", "the header is given twice", name))
        seen.add(name.lower())
    if found:
        raise PydanticCustomError("several", "several headers are not acceptable", {"found": found})
    return headers


def _few_headers(headers: object) -> object:
    """Refuse more headers than there may be, before any is read."""
    if isinstance(headers, dict) and len(headers) > MOST_HEADERS:
        message = "Dictionary should have at most {most} items after validation, not {n}"
        raise PydanticCustomError("too_long", message, {"most": MOST_HEADERS, "n": len(headers)})
    return headers


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise PydanticCustomError("invalid_header", "the name of a header is a token such as X-Team")
    if _OURS.fullmatch(name.lower()):
        raise PydanticCustomError("reserved_header", "the platform sets this header itself")
    if not _HEADER_VALUE.fullmatch(value):
        raise PydanticCustomError("invalid_header", "the value of a header is printable ASCII, 1 to 4096 long")
    if is_secret_name(name) or resembles_secret(value):
        check_secret(value)
    check_references(value)


def _check_positive(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError("the duration is longer than zero")
    return duration


def _check_answers(answers: object) -> object:
    if not isinstance(answers, list | dict):
        raise PydanticCustomError("wrong_type", "answers is a list or an object")
    return answers


Text = Annotated[str, Field(min_length=1, max_length=100_000), AfterValidator(_plain)]
AgentField = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Url = Annotated[str, Field(max_length=2048), AfterValidator(_check_url)]
Headers = Annotated[
    dict[str, str], Field(default_factory=dict), BeforeValidator(_few_headers), AfterValidator(_check_headers)
]
SecretField = Annotated[str, Field(max_length=500), AfterValidator(check_secret)]
AgentDuration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(print_duration, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "examples": ["500ms", "30s", "PT1M", 60]}),
]
PositiveDuration = Annotated[AgentDuration, AfterValidator(_check_positive)]
Answers = Annotated[Any, AfterValidator(_check_answers), WithJsonSchema({"type": ["array", "object"]})]
TokenCount = Annotated[int, Field(ge=0, le=10**12)]
ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
MaxOpenCalls = Annotated[int, Field(ge=1, le=10**9)]
SHORTEST_PERIOD, LONGEST_PERIOD = timedelta(seconds=1), timedelta(days=1)


class Config(BaseModel):
    """Strict and closed: an unknown key is an error, a value is of its type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _bound(cls, given: Any) -> Any:
        """Leave out unknown keys beyond the first MOST_PROBLEMS: pydantic makes an error of each."""
        if not isinstance(given, dict) or len(given) <= len(cls.model_fields) + MOST_PROBLEMS:
            return given
        known = {name: given[name] for name in cls.model_fields if name in given}
        unknown = (name for name in given if name not in known)
        return {**known, **{name: given[name] for name in islice(unknown, MOST_PROBLEMS)}}


UsageName = Annotated[str, Field(max_length=200), AfterValidator(_plain)]


def _check_period(period: timedelta) -> timedelta:
    if not SHORTEST_PERIOD <= period <= LONGEST_PERIOD:
        raise ValueError("the period of a rate is from 1s to 1d")
    return period


class CallRate(Config):
    """The most calls of an agent that begin within any period of the length `per`."""

    calls: Annotated[int, Field(ge=1, le=1_000_000)]
    per: Annotated[AgentDuration, AfterValidator(_check_period)]


class TokenRate(Config):
    """The most tokens, input and output, that the calls of an agent use in a minute."""

    per_minute: Annotated[int, Field(ge=1, le=10**12)]


class Tokens(Config):
    """The use of one call, as agents report it: further fields as in the usage of `gateway.usage`."""

    input_tokens: TokenCount = 0
    output_tokens: TokenCount = 0
    cached_tokens: TokenCount = 0
    cache_read_tokens: TokenCount | None = None
    cache_write_5m_tokens: TokenCount | None = None
    cache_write_1h_tokens: TokenCount | None = None
    reasoning_tokens: TokenCount | None = None
    units: dict[UsageName, TokenCount] | None = None
    provider: UsageName | None = None
    model: UsageName | None = None
    usage_id: UsageName | None = None


def _exact(value: Any) -> str:
    amount = parse_money(value, "USD").amount
    if amount < 0:
        raise ValueError("a cost is not negative")
    return str(amount)


def _currency(value: str) -> str:
    return parse_money(0, value).currency


class Cost(Config):
    """The cost of one call: amount is an exact decimal, not negative; currency an ISO 4217 code."""

    amount: Annotated[str, BeforeValidator(_exact)]
    currency: Annotated[str, AfterValidator(_currency)]

    @property
    def money(self) -> Money:
        """The same as an amount of money."""
        return parse_money(self.amount, self.currency)
