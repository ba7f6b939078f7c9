"""Takes secrets out of a definition that becomes a template: each becomes a parameter, those in comments go."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.jsonvalue import JsonValue
from domain.templates.openings import Openings
from domain.templates.parameters import Parameter
from domain.templates.secret_patterns import secrets_in_text
from domain.templates.secrets import IN_KEY, FoundSecret, find_secrets

REMOVED = "(removed)"


@dataclass(frozen=True, slots=True)
class RemovedSecret:
    """A secret that a template does not hold. path: its place, empty for a comment. parameter: it stands there now.

    reference: the sample answer, a reference to a variable.
    """

    path: str
    kind: str
    parameter: str = ""
    reference: str = ""


def remove_secrets(
    openings: Openings,
    document: JsonValue,
    declared: dict[str, Parameter],
    requested: Mapping[str, Mapping[str, JsonValue]],
) -> list[RemovedSecret]:
    """Put a parameter of type `secret` in the place of each secret; the user's own where one is for that path."""
    removed: list[RemovedSecret] = []
    by_keys: dict[tuple[str | int, ...], list[FoundSecret]] = {}
    for secret in find_secrets(document):
        if secret.kind == IN_KEY:
            openings.refuse("secret_in_key", "a key holds a secret; give the key another name", secret.path)
        else:
            by_keys.setdefault(secret.keys, []).append(secret)
    own = {
        keys: name
        for name, each in requested.items()
        if name in declared and declared[name].type == "secret" and each.get("text") is None
        for keys in openings.places(each.get("path"))
    }
    for keys, found in by_keys.items():
        named = own.get(keys)
        spans: list[tuple[int, int, str]] = []
        for secret in found:
            name = named or _name(secret.reference, declared)
            declared.setdefault(name, Parameter("secret", title=f"Secret for {secret.path}"[:200]))
            openings.sample[name] = f"${{{secret.reference}}}"
            spans.append((secret.start, secret.end, name))
            removed.append(RemovedSecret(secret.path, secret.kind, name, f"${{{secret.reference}}}"))
        openings.cut(keys, spans)
    return removed


def comments_without_secrets(text: str) -> tuple[str, list[RemovedSecret]]:
    """Return a text without secrets of a well-known form behind a `#`, where values hold none."""
    parts: list[str] = []
    removed: list[RemovedSecret] = []
    at = 0
    for found in secrets_in_text(text):
        if "#" not in text[text.rfind("\n", 0, found.start) + 1 : found.start]:
            continue
        parts += [text[at : found.start], REMOVED]
        removed.append(RemovedSecret("", found.kind))
        at = found.end
    return "".join([*parts, text[at:]]), removed


def _name(reference: str, declared: dict[str, Parameter]) -> str:
    name = reference.lower()
    while name in declared and declared[name].type != "secret":
        name = f"{name}_secret"
    return name
