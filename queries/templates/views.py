"""The views of templates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.refusal import Problem
from domain.templates.differences import ValueDifference
from domain.templates.merge import MergeConflict
from queries.amounts import Amount
from queries.processes import StepRoles
from queries.schedule_previews import PreviewedInstant


class TemplateNeeds(msgspec.Struct, frozen=True):
    """Agents, environment variables and channels by name."""

    agents: list[str] = []
    secrets: list[str] = []
    channels: list[str] = []


class TemplateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A template in the list. version: the latest. source: ``bundled`` or ``org``. author: null for a bundled one.

    uses: processes made from it, in any version, that the caller sees. status: ``ok``, ``invalid``, ``incompatible`` or
    ``withdrawn``; problems: why. needs: with the default answers. missing: of these, what is not there. shared_with:
    ``private``, ``team:NAME`` or ``organisation``. kept: the caller may revise, share and withdraw it.
    """

    template_id: str
    version: int
    name: str
    description: str
    tags: list[str]
    category: str
    source: str
    author: str | None
    uses: int
    status: str
    problems: Sequence[Problem]
    needs: TemplateNeeds
    missing: TemplateNeeds
    shared_with: str
    kept: bool
    team: str
    process: str | None
    published_at: datetime | None
    revised_at: datetime | None
    withdrawn_reason: str | None


class TemplateVersionSummary(msgspec.Struct, frozen=True):
    """A version of a template. uses: processes made from it that the caller sees. author: null if bundled."""

    version: int
    author: str | None
    published_at: datetime | None
    uses: int


class TemplateDetail(TemplateSummary, frozen=True, kw_only=True):
    """A version of a template. latest: its latest version. yaml: the whole document. engine: the releases it is for.

    parameters: by name. samples: complete answers. definition: of the process made with the sample answers, or the
    defaults; null where they make none. versions: newest first.
    """

    latest: int
    yaml: str
    engine: str | None
    parameters: dict[str, Any]
    samples: list[Any]
    definition: Any
    versions: list[TemplateVersionSummary]
    as_of_position: int
    lag_seconds: float


class TemplateFacet(msgspec.Struct, frozen=True):
    """A value by which the list can be filtered, and the templates that have it."""

    value: str
    count: int


class TemplateFacets(msgspec.Struct, frozen=True):
    """The facets of all templates that the search finds, whatever the other filters are; the most frequent first."""

    tags: list[TemplateFacet]
    sources: list[TemplateFacet]
    categories: list[TemplateFacet]


class TemplatePage(msgspec.Struct, frozen=True):
    """A page of the library: bundled templates by name, then those of the organisation."""

    items: Sequence[TemplateSummary]
    facets: TemplateFacets
    next_cursor: str | None
    as_of_position: int
    lag_seconds: float


class TemplateUse(msgspec.Struct, frozen=True):
    """A process that was made from a template. template_version: made from, or taken since. versions: how many it
    published since. running: executions of these that have not ended, 1,001 for more than 1,000.
    """

    process_id: UUID
    process: str
    template_version: int
    made_at: datetime
    made_by: str
    status: str | None
    versions: int
    running: int


class PreviewedStep(msgspec.Struct, frozen=True):
    """A step of the process that would be made."""

    id: str
    name: str | None
    type: str
    agent: str | None
    depends_on: list[str]


class PreviewedSchedule(msgspec.Struct, frozen=True):
    """A schedule that would run once the process is published. words: its rule. next: the next runs."""

    trigger_id: str
    words: str
    next: list[PreviewedInstant]


class TemplatePreview(msgspec.Struct, frozen=True):
    """The process that a template would make; nothing is recorded. definition: null while the text has errors.

    parameters: the answers with defaults. estimated_cost: the median of an execution of processes made from this
    template, if enough ended; else null. problems: errors, which stop a publication, and warnings.
    """

    template_id: str
    template_version: int
    name: str
    parameters: dict[str, Any]
    definition: Any
    yaml: str
    steps: list[PreviewedStep]
    roles: list[StepRoles]
    schedules: list[PreviewedSchedule]
    estimated_cost: list[Amount] | None
    problems: Sequence[Problem]


class TemplateUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The newer version of the template that a process was made from. newer: there is one.

    answers: those of then. current: the text of the draft, else of the latest version. before, after: the texts that
    the version of then and the latest make with these answers; null where they make none. problems: why the latest
    does not. by_template, by_hand: the changes of both sides since then. conflicts: places that both changed. merged:
    the current text with the other changes of the template; null where there is none, or no text holds them.
    """

    process_id: UUID
    template_id: str
    template_version: int
    latest: int
    newer: bool
    answers: dict[str, Any]
    current: str
    before: str | None
    after: str | None
    by_template: Sequence[ValueDifference]
    by_hand: Sequence[ValueDifference]
    conflicts: Sequence[MergeConflict]
    merged: str | None
    problems: Sequence[Problem]
