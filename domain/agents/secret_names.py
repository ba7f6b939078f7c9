"""The operator's allow-list of environment variables that agents and webhook triggers may refer to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.refusal import Problem

# A reference to a variable: ``${NAME}``.
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}")
SETTING = "PROCESSION_AGENT_SECRETS"
_ENTRY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\*?")
# Settings are read in any case, so each spelling of one names the platform's own.
_OWN = re.compile(r"(?:READ_)?DATABASE_URL|PG[A-Z]+|PROCESSION_.*", re.IGNORECASE)


@dataclass(frozen=True)
class SecretNames:
    """The variables that may be referred to: by name, or by the beginning of the name. Default: none.

    The platform's own settings may never be, even if an entry covers them.
    """

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def allows(self, name: str) -> bool:
        """Return whether the variable `name` may be referred to."""
        return not is_own(name) and (name in self.names or name.startswith(self.prefixes))

    def problem(self, name: str, path: str = "") -> Problem | None:
        """Return why the variable `name` may not be referred to; None if it may. path: the place of the reference."""
        if self.allows(name):
            return None
        if is_own(name):
            message = f"the setting {name} is the platform's own, not for agents"
            return Problem("secret_reserved", message, path)
        message = f"the environment variable {name} is not in {SETTING}, the list of those that may be referred to"
        return Problem("secret_not_allowed", message, path, hint=f"the operator adds {name} to {SETTING}")

    def problems(self, texts: Mapping[str, str]) -> list[Problem]:
        """Return the problem of every reference in `texts`, which are given by path."""
        found = ((path, name) for path, text in texts.items() for name in dict.fromkeys(REFERENCE.findall(text)))
        problems = (self.problem(name, path) for path, name in found)
        return [problem for problem in problems if problem is not None]


NO_SECRETS = SecretNames()


def is_own(name: str) -> bool:
    """Return whether the variable `name` is, in any case, a setting of the platform itself."""
    return _OWN.fullmatch(name) is not None


def read_secret_names(text: str) -> SecretNames:
    """Return the list in ``NAME,NAME2,PREFIX_*``; an empty text is no variable at all. Raises ValueError."""
    entries = [entry for entry in re.split(r"[,\s]+", text) if entry]
    for entry in entries:
        if not _ENTRY.fullmatch(entry):
            raise ValueError(f"it is a list like NAME,OTHER_NAME,PREFIX_*, and {entry[:60]!r} is no such name")
    prefixes = {entry.removesuffix("*") for entry in entries if entry.endswith("*")}
    return SecretNames(frozenset(entries) - {f"{prefix}*" for prefix in prefixes}, tuple(sorted(prefixes)))


def referring_texts(config: Mapping[str, Any]) -> dict[str, str]:
    """Return each text of an agent's configuration in which ``${NAME}`` is a reference, by its path."""
    headers = config.get("headers")
    texts = {f"headers.{name}": text for name, text in headers.items()} if isinstance(headers, dict) else {}
    texts["api_key"] = config.get("api_key")
    return {path: text for path, text in texts.items() if isinstance(text, str)}


def names_in(texts: Iterable[str]) -> set[str]:
    """Return the variables that `texts` refer to."""
    return {name for text in texts for name in REFERENCE.findall(text)}
