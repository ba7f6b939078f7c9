"""The files of a folder of templates: each template beside its checks."""

from pathlib import Path

import msgspec

import gateway
from app.documents import read_file
from gateway.catalogue.catalogue import CHECKS, OLDER


class TemplateFiles(msgspec.Struct, frozen=True):
    """The texts of templates and of their checks, by the names of the templates."""

    templates: dict[str, bytes]
    checks: dict[str, bytes]


def bundled_folder() -> Path:
    """Return the folder of the templates that come with Procession."""
    return Path(gateway.__file__).parent / "catalogue" / "templates"


def read_folder(folder: Path) -> TemplateFiles:
    """Return the latest version of each template of a folder, and the checks of each. Raises FileUnreadable."""
    files = {file.name: read_file(str(file)) for file in sorted(folder.glob("*.yaml")) if OLDER not in file.name}
    checks = {name.removesuffix(CHECKS): text for name, text in files.items() if name.endswith(CHECKS)}
    templates = {Path(name).stem: text for name, text in files.items() if not name.endswith(CHECKS)}
    return TemplateFiles(templates, checks)
