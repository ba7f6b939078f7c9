"""The licences of what Procession needs in order to run are those that ADR 0002 lists."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

# The last three are those of single files that numpy includes.
PERMISSIVE = re.compile(r"MIT(-0| License)?|BSD-[23]-Clause|Apache-2\.0|ISC License|PSF-2\.0|0BSD|Zlib|CC0-1\.0")
BY_CLASSIFIER = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
}
# Used unmodified, as packages of their own.
LESSER_GPL = {"psycopg", "psycopg-binary", "psycopg-pool"}


def test_nothing_but_psycopg_is_copyleft() -> None:
    found = {name: licence(metadata.metadata(name)) for name in needed(dependencies())}
    assert found.keys() >= LESSER_GPL
    others = {name: words for name, words in found.items() if not is_permissive(words)}
    assert others == dict.fromkeys(LESSER_GPL, "LGPL-3.0-only")


def test_every_package_needed_in_order_to_run_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {plain(line.split("==")[0]) for line in lines if "==" in line}
    assert needed(dependencies()) - pinned == set()


def is_permissive(words: str) -> bool:
    """Whether every part of a licence is permissive, and of parts to choose from, one."""
    return all(any(map(PERMISSIVE.fullmatch, part.strip("()").split(" OR "))) for part in words.split(" AND "))


def dependencies() -> list[Requirement]:
    """What pyproject.toml asks for, extras for tests and benchmarks left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"]]


def licence(about: metadata.PackageMetadata) -> str:
    """What a package says its licence is: in the present form, the older one, or by its classifier."""
    said = about.get("License-Expression") or about.get("License")
    if said:
        return str(said)
    return next((BY_CLASSIFIER[each] for each in about.get_all("Classifier") or [] if each in BY_CLASSIFIER), "unknown")


def needed(asked: list[Requirement]) -> set[str]:
    """Every package that is installed because of `asked`, at any depth."""
    found: set[tuple[str, str]] = set()
    todo = list(asked)
    while todo:
        requirement = todo.pop()
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            for key in {(plain(requirement.name), extra) for extra in ("", *requirement.extras)} - found:
                found.add(key)
                todo += brought_by(*key)
    return {name for name, _ in found}


def brought_by(name: str, extra: str) -> Iterator[Requirement]:
    """What a package needs, or what one of its extras adds, on this platform."""
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if not extra or (
            marker is not None and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra})
        ):
            if extra:
                requirement.marker = None
            yield requirement


def plain(name: str) -> str:
    """A package's name in its normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()
