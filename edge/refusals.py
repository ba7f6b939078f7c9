"""Refusals of a door itself, before any command or query runs."""

import difflib
from collections.abc import Iterable

from domain.refusal import Malformed, Problem, Refusal


class BadRequest(Refusal):
    """A parameter or header is not valid."""

    code = "bad_request"

    def __init__(self, message: str, problems: list[Problem], *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.problems = problems


class Unauthorised(Refusal):
    """The caller did not show the API key."""

    code = "unauthorised"


class HostNotAllowed(Refusal):
    """The request states a host that the door does not serve."""

    code = "host_not_allowed"


class ForeignOrigin(Refusal):
    """A page of another origin sent the request."""

    code = "foreign_origin"


class TooManyStreams(Refusal):
    """As many streams are open as the door serves."""

    code = "too_many_streams"


class NotPermitted(Refusal):
    """The key of the caller does not permit the request."""

    code = "not_permitted"


class SecretUnavailable(Refusal):
    """The door does not have the secret that the caller must show."""

    code = "secret_unavailable"


class TokenInvalid(Refusal):
    """The token shown is not that of the attempt."""

    code = "token_invalid"


class TooLarge(Refusal):
    """The body is larger than the door reads."""

    code = "too_large"


class WrongMediaType(Refusal):
    """The door does not read bodies of that media type."""

    code = "unsupported_media_type"


class Interrupted(Refusal):
    """The caller disconnected before the body was complete."""

    code = "interrupted"


def malformed(problems: list[Problem]) -> Malformed:
    """Return the refusal of a body with these problems."""
    return Malformed(problems[0].message, problems)


def unknown_filter(name: str, known: Iterable[str]) -> Problem:
    """Return the problem of a query parameter that is not declared."""
    return Problem("unknown_filter", f"there is no query parameter {name!r} here", name, hint=hint_among(name, known))


def unknown_key(name: str, known: Iterable[str], path: str = "") -> Problem:
    """Return the problem of a key that the body, or its part at `path`, does not declare."""
    short = name[:60]
    return Problem("unknown_key", f"unknown key {short!r}", f"{path}{short}", hint=hint_among(short, known))


def hint_among(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown `name`: the nearest known one, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"
