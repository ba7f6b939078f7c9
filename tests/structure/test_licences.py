"""The licences of what Procession needs in order to run are those that ADR 0002 lists."""

import re
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

PERMISSIVE = re.compile(r"MIT( License)?|BSD-[23]-Clause|Apache-2\.0|ISC License|PSF-2\.0")
CLASSIFIED = ("License :: OSI Approved :: MIT License",)
# Used unmodified, as packages of their own.
LESSER_GPL = {"psycopg", "psycopg-binary", "psycopg-pool"}


def test_nothing_but_psycopg_is_copyleft() -> None:
    found = {name: licence(metadata.metadata(name)) for name in needed("procession")}
    assert LESSER_GPL <= found.keys()
    assert {name: words for name, words in found.items() if not PERMISSIVE.fullmatch(words)} == dict.fromkeys(
        LESSER_GPL, "LGPL-3.0-only"
    )


def licence(about: metadata.PackageMetadata) -> str:
    """What a package says its licence is: in the present form, the older one, or by its classifier."""
    said = about.get("License-Expression") or about.get("License")
    if said:
        return str(said)
    classified = [line for line in about.get_all("Classifier") or [] if line in CLASSIFIED]
    return "MIT" if classified else "unknown"


def needed(name: str) -> set[str]:
    """Every package installed because of `name`, itself left out, extras for tests and benchmarks too."""
    found: set[tuple[str, str]] = set()
    todo = [(name, "")]
    while todo:
        package = todo.pop()
        for requirement in requirements(*package):
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            asked = {(key, extra) for extra in ("", *requirement.extras)}
            todo += asked - found
            found |= asked
    return {key for key, _ in found}


def requirements(name: str, extra: str) -> Iterator[Requirement]:
    """What a package needs here; with `extra`, what that adds."""
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        always = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if always if not extra else (not always and requirement.marker.evaluate({"extra": extra})):
            yield requirement
