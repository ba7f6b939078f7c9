"""Secrets: references are resolved at the moment of a call, and their values are kept out of every record."""

import os
import re
from collections.abc import Mapping

from domain.agents.secret_names import NO_SECRETS, REFERENCE, SecretNames
from gateway.masking import mask

_SENDABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class SecretMissing(Exception):
    """A referenced environment variable is not set, or no header can carry its value; the message only names it."""

    code = "secret_missing"


class SecretNotAllowed(SecretMissing):
    """The operator does not allow references to this environment variable."""

    code = "secret_not_allowed"


class Disclosed:
    """The secrets resolved for one call. allowed: the variables that may be resolved; default: none."""

    def __init__(self, allowed: SecretNames = NO_SECRETS) -> None:
        self._allowed = allowed
        self._values: set[str] = set()

    def resolve(self, text: str) -> str:
        """Return `text` with every ``${NAME}`` replaced by the environment's value. Raises SecretMissing."""
        return REFERENCE.sub(self._value, text)

    def resolve_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return every value of `texts`, resolved likewise. Raises SecretMissing."""
        return {name: self.resolve(text) for name, text in texts.items()}

    def add(self, value: str) -> None:
        """Treat `value` as secret too, though no reference names it."""
        self._values.add(value)

    def mask_text(self, text: str) -> str:
        """Return text, masked as by `mask`."""
        return self.mask(text.encode(errors="replace")).decode()

    def mask(self, data: bytes) -> bytes:
        """Return `data` with every secret known so far replaced by ``***``, however JSON may have escaped it."""
        return mask(data, self._values)

    def _value(self, match: re.Match[str]) -> str:
        name = match[1]
        problem = self._allowed.problem(name)
        if problem is not None:
            raise SecretNotAllowed(problem.message)
        # Files that become variables often end in a line feed, which is never part of the secret.
        value = os.environ.get(name, "").strip()
        if not value:
            raise SecretMissing(f"the environment variable {name} is not set where the worker runs")
        if not _SENDABLE.fullmatch(value):
            raise SecretMissing(f"the environment variable {name} holds characters that no header can carry")
        self._values.add(value)
        return value
