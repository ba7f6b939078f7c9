"""The texts whose roles are read, as parsed: a page reads the same text again after each change of roles."""

import functools

from domain.language import Parsed, parse_definition

KEPT = 8
LONGEST_KEPT = 100_000
"""Characters; a longer text is parsed anew, so that those kept stay small."""


def parsed_text(text: str) -> Parsed:
    """Return a text as parsed; nothing changes what it returns."""
    return _kept(text) if len(text) <= LONGEST_KEPT else parse_definition(text)


@functools.lru_cache(KEPT)
def _kept(text: str) -> Parsed:
    return parse_definition(text)
