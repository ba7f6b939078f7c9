"""The bundled templates: read from files, a broken one with its problem beside the others."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import msgspec

from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.refusal import Problem

OLDER = "@"
"""``NAME.yaml`` holds the latest version of a template, ``NAME@2.yaml`` an earlier one that processes may come from."""

CHECKS = ".check.yaml"
"""Ends the name of a file of checks: ``NAME.check.yaml`` stands beside ``NAME.yaml``."""


class BundledVersion(msgspec.Struct, frozen=True):
    """A version of a bundled template. problem: why its file cannot be read at all."""

    name: str
    version: int
    source: str
    problem: Problem | None = None


class Catalogue:
    """The templates in a folder, which do not change while the process runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def versions(self) -> Mapping[str, Mapping[int, BundledVersion]]:
        """Every version by the name of its template and its number; templates by name, versions by number."""
        found: dict[str, dict[int, BundledVersion]] = {}
        for file in sorted(self._folder.glob("*.yaml")):
            if file.name.endswith(CHECKS):
                continue
            read = _read(file)
            found.setdefault(read.name, {})[read.version] = read
        return {name: dict(sorted(versions.items())) for name, versions in sorted(found.items())}

    def find(self, name: str, version: int | None = None) -> BundledVersion | None:
        """Return a version of a template, the latest by default; None if there is none."""
        versions = self.versions.get(name)
        if versions is None:
            return None
        return versions.get(max(versions) if version is None else version)

    def latest(self) -> list[BundledVersion]:
        """Return the latest version of each template, by name."""
        return [versions[max(versions)] for versions in self.versions.values()]


def _read(file: Path) -> BundledVersion:
    name = file.stem.partition(OLDER)[0]
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return BundledVersion(name, 1, "", Problem("unreadable_file", f"{file.name} cannot be read: {error}"))
    return BundledVersion(name, _version(source), source)


def _version(source: str) -> int:
    """Return `template.version` of a document; 1 where it states none."""
    try:
        document = document_of(source)
    except EditRefused:
        return 1
    stated = document.get("template") if isinstance(document, dict) else None
    version = stated.get("version") if isinstance(stated, dict) else None
    return version if isinstance(version, int) and not isinstance(version, bool) and version > 0 else 1


BUNDLED = Catalogue(Path(__file__).parent / "templates")
"""The templates of the package."""
