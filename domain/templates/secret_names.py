"""Keys whose literal values are secrets, by their names; and texts that only seem random."""

import math
import re
from collections import Counter

from domain.agents.secret_names import REFERENCE

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_LAST = {"password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "authorization", "credential"}
_LAST |= {"credentials", "cookie", "dsn", "bearer", "signature"}
_LAST_TWO = {
    ("api", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("signing", "key"),
    ("auth", "key"),
}
_LAST_TWO |= {("encryption", "key"), ("account", "key"), ("subscription", "key"), ("connection", "string")}
_ENDINGS = ("password", "passwd", "secret", "apikey", "accesstoken", "authtoken")
_PASSWORDS = {"password", "passwd", "pwd", "passphrase"}
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token|digest|apikey) \S")
# Texts under such a key that name a way of doing it.
_WAYS = {
    "none",
    "required",
    "optional",
    "string",
    "text",
    "true",
    "false",
    "null",
    "bearer",
    "basic",
    "oauth2",
    "apikey",
}
_WAYS |= {"yes", "no", "token", "password", "secret", "input", "env", "vault", "n/a"}
_LONGEST_NAME = 200
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{20,200}")
_ORDINARY = re.compile(r"[0-9a-fA-F-]+|[A-Za-z]+(?:[-_/][A-Za-z]+)*")
_BITS = 3.9


def is_secret_key(name: str) -> bool:
    """Return whether a key usually holds a secret: ``apiKey``, ``db_password``, ``X-Auth-Token``."""
    words = [word.lower() for word in _WORDS.findall(name[:_LONGEST_NAME])]
    return bool(words) and (words[-1] in _LAST or words[-1].endswith(_ENDINGS) or tuple(words[-2:]) in _LAST_TWO)


def is_literal_secret(name: str, value: object) -> bool:
    """Return whether a value under such a key is the secret itself, not a reference to it or a word about it."""
    words = [word.lower() for word in _WORDS.findall(name[:_LONGEST_NAME])]
    is_password = bool(words) and (words[-1] in _PASSWORDS or words[-1].endswith("password"))
    if isinstance(value, int) and not isinstance(value, bool):
        return is_password
    if not isinstance(value, str) or "{{" in value or REFERENCE.search(value):
        return False
    text = value.strip()
    if len(text) < 4 or text.lower() in _WAYS:
        return False
    return is_password or not re.search(r"\s", text) or _SCHEME.match(text) is not None


def seems_random(text: str) -> bool:
    """Return whether a text holds a word that may be a key: long, mixed, and no hash, no id and no words."""
    return any(
        _ORDINARY.fullmatch(word) is None and _entropy(word) >= _BITS and any(map(str.isdigit, word))
        for word in _RANDOM.findall(text)
    )


def _entropy(text: str) -> float:
    """Return the bits a character, by how often each occurs."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
