"""The names of schemas, tables and functions that the migrations make, read from the generated schema."""

import re
from functools import cache
from importlib.resources import files

_MADE = re.compile(r"^create (table|schema|or replace function) (?:public\.)?(\w+)", re.MULTILINE | re.IGNORECASE)


@cache
def made(kind: str) -> tuple[str, ...]:
    """Return the names of one kind: ``table``, ``schema`` or ``function``."""
    text = files("store").joinpath("schema.sql").read_text("utf-8")
    found = {name for what, name in _MADE.findall(text) if what.lower().split()[-1] == kind}
    return tuple(sorted(found))
