"""Unknown keys: a slip of a known key is an error; the parser drops any other with a warning."""

from collections.abc import Collection

from domain.language.reading.nodes import Location, Mapping, Scalar
from domain.language.reading.problems import Problems
from domain.words import did_you_mean, slip_of


def is_strict(root: Mapping) -> bool:
    """Return whether the definition makes every unknown key an error."""
    strict = root.entries.get("strict")
    return isinstance(strict, Scalar) and strict.value is True


# Keys of other engines, and of other parts of this language, by what to write instead.
_INSTEAD = {
    "next_step": "the step that comes after names this one in its `depends_on`",
    "next": "the step that comes after names this one in its `depends_on`",
    "output_key": "what the step gives is at `steps.ID.output`",
    "executor": "write it under `roles`",
    "monitors": "write it under `roles`",
    "informed": "write it under `roles`",
    "description": "write it as a comment, after a `#`",
}


def note_unknown_key(
    key: str, at: Location, known: Collection[str], problems: Problems, *, spellings: Collection[str] = ()
) -> None:
    """Note a key that is none of the `known` ones, nor of their other `spellings`."""
    meant = None if key in _INSTEAD else slip_of(key, [*known, *spellings])
    if meant is not None:
        problems.add("unknown_key", f"`{key[:60]}` is not a key here", at, hint=f"did you mean `{meant}`?")
        return
    severity = "error" if problems.strict_keys else "warning"
    hint = _INSTEAD.get(key, "")
    if not hint and not problems.full(severity):
        hint = did_you_mean(key, [*known, *spellings]) or f"known here: {', '.join(known)}"
    message = f"`{key[:60]}` is not a key here" + ("" if severity == "error" else ", it is ignored")
    problems.add("unknown_key", message, at, hint=hint, severity=severity)
