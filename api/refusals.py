"""What the API itself refuses, before any command or query is asked."""

from domain.refusal import Malformed, Problem, Refusal


class BadRequest(Refusal):
    """A parameter or header that cannot be understood."""

    code = "bad_request"

    def __init__(self, message: str, problems: list[Problem], *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.problems = problems


class Unauthorised(Refusal):
    """The caller did not show the API key."""

    code = "unauthorised"


class SecretUnavailable(Refusal):
    """The secret that the caller should show is not known here either."""

    code = "secret_unavailable"


class TokenInvalid(Refusal):
    """The token shown is not that of the attempt."""

    code = "token_invalid"


class TooLarge(Refusal):
    """The body is larger than is read."""

    code = "too_large"


class WrongMediaType(Refusal):
    """The body is of a kind that is not read here."""

    code = "unsupported_media_type"


class Interrupted(Refusal):
    """The caller went away before the body was complete."""

    code = "interrupted"


def malformed(problems: list[Problem]) -> Malformed:
    """The refusal of a body with these problems."""
    return Malformed(problems[0].message, problems)
