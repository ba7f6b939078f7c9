"""The release of Procession that runs, which a template may need."""

from functools import cache
from importlib.metadata import version


@cache
def release() -> str:
    """Return the version of the installed package."""
    return version("procession")
