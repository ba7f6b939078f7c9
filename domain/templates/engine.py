"""The versions of the platform that run a template, as ``>=0.2, <1``."""

import re

_CLAUSE = re.compile(r"\s{0,9}(>=|<=|==|>|<)\s{0,9}([0-9]{1,6}(?:\.[0-9]{1,6}){0,3})\s{0,9}")
LONGEST = 100


def is_requirement(text: str) -> bool:
    """Return whether a text states versions that can be compared."""
    return len(text) <= LONGEST and all(_CLAUSE.fullmatch(clause) for clause in text.split(","))


def fits_engine(engine: str | None, version: str) -> bool:
    """Return whether a platform of a version, such as ``0.7.0``, runs a template with this requirement."""
    if engine is None:
        return True
    own = _numbers(re.match(r"[0-9]+(?:\.[0-9]+){0,3}", version).group())  # type: ignore[union-attr]
    return all(_holds(clause, own) for clause in engine.split(","))


def _holds(clause: str, own: tuple[int, ...]) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return False
    other = _numbers(found[2])
    return {">=": own >= other, "<=": own <= other, "==": own == other, ">": own > other, "<": own < other}[found[1]]


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    return tuple([*numbers, 0, 0, 0][:4])
