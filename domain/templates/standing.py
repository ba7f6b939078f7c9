"""The standing of a version of a template: whether it can be used, and if not, why."""

from functools import lru_cache
from typing import Literal

import msgspec

from domain.refusal import Problem
from domain.templates.engine import fits_engine
from domain.templates.reading import read_template
from domain.templates.template import Template

KEPT = 256
LONGEST_KEPT = 100_000
"""Characters; a longer document is read anew, so that those kept stay small."""

TemplateStatus = Literal["ok", "invalid", "incompatible", "withdrawn"]
STATUSES: tuple[TemplateStatus, ...] = ("ok", "invalid", "incompatible", "withdrawn")


class TemplateStanding(msgspec.Struct, frozen=True):
    """Whether a version can be used. template: None where the document cannot be read. problems: why it cannot be used,
    and warnings.
    """

    status: TemplateStatus
    template: Template | None
    problems: tuple[Problem, ...]


def standing_of(source: str, release: str, *, withdrawn: bool = False) -> TemplateStanding:
    """Return the standing of a document on a release of Procession."""
    template, problems = _read_once(source) if len(source) <= LONGEST_KEPT else _read(source)
    if template is None or any(each.severity == "error" for each in problems):
        return TemplateStanding("invalid", template, problems)
    if not fits_engine(template.engine, release):
        message = f"it needs Procession {template.engine}, and this is {release}"
        incompatible = Problem("engine_incompatible", message, "template.engine")
        return TemplateStanding("incompatible", template, (incompatible, *problems))
    return TemplateStanding("withdrawn" if withdrawn else "ok", template, problems)


def template_of(source: str) -> Template | None:
    """Return the template of a document; None where it cannot be used on any release."""
    return standing_of(source, "0").template


def _read(source: str) -> tuple[Template | None, tuple[Problem, ...]]:
    reading = read_template(source)
    return reading.template, reading.problems


@lru_cache(KEPT)
def _read_once(source: str) -> tuple[Template | None, tuple[Problem, ...]]:
    return _read(source)
