"""Several values in one text: separated by commas, in double quotes where a value holds a comma; a quote is doubled."""

import re
from collections.abc import Iterable

# A value in quotes ends at a quote before a comma or the end; any other value ends at the next comma.
_VALUE = re.compile(r'\s*"((?:[^"]|"")*+)"\s*(?:,|\Z)|([^,]*)(?:,|\Z)')


def split_values(text: str) -> list[str]:
    """Return the values of a text. Without quotes, the spaces around a value and empty values are left out."""
    found = []
    for match in _VALUE.finditer(text):
        quoted, plain = match.groups()
        if quoted is not None:
            found.append(quoted.replace('""', '"'))
        elif plain and plain.strip():
            found.append(plain.strip())
    return found


def join_values(values: Iterable[str]) -> str:
    """Return a text from which split_values returns the same values."""
    return ",".join(map(_written, values))


def _written(value: str) -> str:
    if not value or "," in value or value.startswith('"') or value != value.strip():
        return '"{}"'.format(value.replace('"', '""'))
    return value
