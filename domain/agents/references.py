"""References to secrets, ``${NAME}``: a configuration names an environment variable and never holds its value."""

import re

from pydantic_core import PydanticCustomError

from domain.agents.secret_names import REFERENCE

_SCHEME_AND_REFERENCES = re.compile(rf"(?:[A-Za-z][A-Za-z0-9-]{{0,19}} )?(?:{REFERENCE.pattern})+")
_LOOKS_SECRET = re.compile(r"(?i)\s*(?:bearer|basic|token)\s+\S|\s*(?:sk|pk|ghp|xox[a-z])[-_][A-Za-z0-9]")
_SECRET_NAME = re.compile(
    r"(?:^|[-_.])(?:apikey|auth|authorization|cookie|credentials?|key|passwd|password|secret|session|signature|token)"
    r"(?:$|[-_.])"
)
# The platform's own connection settings are closed to agents.
_RESERVED = re.compile(r"DATABASE_URL|READ_DATABASE_URL|PG[A-Z]+|PROCESSION_[A-Z_]+")


def check_secret(value: str) -> str:
    """Return `value` if it holds no secret itself: references, at most after a scheme (``Bearer ${WRITER_KEY}``).

    Raises PydanticCustomError (``secret_not_a_reference``, ``secret_reserved``); the message never repeats the value.
    """
    if not _SCHEME_AND_REFERENCES.fullmatch(value):
        raise PydanticCustomError(
            "secret_not_a_reference",
            "a secret is given as a reference to an environment variable of the worker, ${NAME}, never as itself",
        )
    return check_references(value)


def check_reference(value: str) -> str:
    """Return `value` if it is one reference and nothing else. Raises PydanticCustomError, as check_secret does."""
    if not REFERENCE.fullmatch(value):
        message = "a secret is given as a reference to an environment variable, ${NAME}, never as itself"
        raise PydanticCustomError("secret_not_a_reference", message)
    return check_references(value)


def check_references(value: str) -> str:
    """Return `value` if none of its references is reserved. Raises PydanticCustomError (``secret_reserved``)."""
    for name in REFERENCE.findall(value):
        if _RESERVED.fullmatch(name):
            raise PydanticCustomError("secret_reserved", f"the setting {name} is the platform's own, not for agents")
    return value


def is_secret_name(name: str) -> bool:
    """Return whether a header or query parameter `name` usually carries a secret (``X-Api-Key``, ``access_token``)."""
    return _SECRET_NAME.search(name.lower()) is not None


def resembles_secret(value: str) -> bool:
    """Return whether the text `value` itself has the form of a well-known kind of secret (``Bearer …``, ``sk-…``)."""
    return _LOOKS_SECRET.match(value) is not None
