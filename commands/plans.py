"""Published versions ready to run, compiled once and kept."""

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol
from uuid import UUID

import msgspec

from commands.deciding import Guards
from domain.event import Event
from domain.language import load_definition
from domain.processes.plan import Limits, Plan, PlannedSubProcess, compile_plan
from domain.processes.process import Process, ProcessPause, evolve, fold
from domain.refusal import Forbidden, NotFound, ProcessNotFound


class Streams(Protocol):
    """The part of the log that reads streams."""

    def stream(self, stream: UUID) -> list[Event]:
        """Return every event of one stream, oldest first; empty when there is no such stream."""

    def streams(self, streams: Iterable[UUID]) -> Mapping[UUID, list[Event]]:
        """Return every event of many streams; streams without events are left out."""

    def streams_from(self, versions: Mapping[UUID, int]) -> Mapping[UUID, list[Event]]:
        """Return the events of many streams from a version of each on; streams without any are left out."""


class Published(msgspec.Struct, frozen=True):
    """A process as of one revision of its stream. last: the event of that revision."""

    process: Process
    revision: int
    last: Event


class Startable(msgspec.Struct, frozen=True):
    """A version that executions can begin by. revision: of the process, which this rests on. pauses: the latest ones.

    pause: the one that lasts.
    """

    plan: Plan
    revision: int
    pauses: tuple[ProcessPause, ...] = ()
    pause: ProcessPause | None = None


Callees = Mapping[str, Plan]
"""The plan of the process that each sub-process step calls, by step."""


class Plans:
    """Plans by process and version. A version never changes, so its plan is kept for good; the latest may change."""

    def __init__(self, log: Streams, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self._log = log
        self._limits = limits
        self._plans: dict[tuple[UUID, int], Plan] = {}
        self._latest: dict[UUID, Published] = {}
        self._stale: set[UUID] = set()
        self._loading = threading.Lock()

    def get(self, process_id: UUID, version: int, body: str = "") -> Plan:
        """Return the plan of one published version, or of a body in it by its path. Raises NotFound."""
        plan = self._plans.get((process_id, version))
        if plan is None:
            with self._loading:
                plan = self._plans.get((process_id, version)) or self._load(process_id, version)
        return plan.inner(body) if body else plan

    def latest(self, process_id: UUID, *, fresh: bool = False) -> Published:
        """Return the process as last read; `fresh` reads it again. Guard decisions by its revision. Raises NotFound.

        A process that was read before takes the events since: its stream holds every text that it ever had.
        """
        kept = self._latest.get(process_id)
        if kept is not None and not fresh and process_id not in self._stale:
            return kept
        self._stale.discard(process_id)
        published = None if kept is None else self._grown(process_id, kept)
        if published is None:
            events = self._log.stream(process_id)
            process = fold(events)
            if process is None:
                raise ProcessNotFound("there is no such process")
            published = Published(process, len(events), events[-1])
        self._latest[process_id] = published
        return published

    def _grown(self, process_id: UUID, kept: Published) -> Published | None:
        """Return the process after the events since it was read; None if the log no longer holds what was read."""
        events = self._log.streams_from({process_id: kept.revision}).get(process_id, [])
        if not events or events[0] != kept.last:
            return None
        process = kept.process
        for event in events[1:]:
            process = evolve(process, event)
        return Published(process, kept.revision + len(events) - 1, events[-1])

    def forget(self, process_ids: Iterable[UUID]) -> None:
        """Read the latest state of processes again at the next use; compiled versions stay, they never change."""
        self._stale.update(process_ids)

    def forget_all(self) -> None:
        """Forget compiled versions too: after events were lost, another text may be published under their numbers."""
        self._latest, self._plans, self._stale = {}, {}, set()

    def startable(self, process_id: UUID, version: int | None) -> tuple[Plan, int]:
        """Return the plan of the latest published version, or of `version`, and the revision that this rests on.

        Raises NotFound, or Forbidden when nothing is published or the process is archived, after a fresh read of the
        log.
        """
        published = self.latest(process_id)
        if not _may_start(published.process, version):
            published = self.latest(process_id, fresh=True)
        return self._startable(published, process_id, version), published.revision

    def starting(self, process_id: UUID, version: int | None) -> Startable:
        """Return what `startable` does, with the pauses of the process; one that lasts is read afresh.

        Raises NotFound, or Forbidden as `startable`.
        """
        published = self.latest(process_id)
        process = published.process
        if process.pause is not None or not _may_start(process, version):
            published = self.latest(process_id, fresh=True)
            process = published.process
        plan = self._startable(published, process_id, version)
        return Startable(plan, published.revision, process.pauses, process.pause)

    def _startable(self, published: Published, process_id: UUID, version: int | None) -> Plan:
        process = published.process
        if process.status == "archived":
            raise Forbidden(f"the process {process.name!r} is archived", code="process_archived")
        if process.latest == 0:
            raise Forbidden(f"the process {process.name!r} has no published version", code="process_not_published")
        if version is not None and not 1 <= version <= process.latest:
            raise NotFound(f"the process {process.name!r} has no version {version}")
        return self.get(process_id, version or process.latest)

    def callees(self, plan: Plan) -> tuple[Callees, Guards]:
        """Return the plans that the steps of `plan` would call now, and the revisions that this rests on.

        Steps whose process is missing or archived, or has no such version, are left out.
        """
        callees: dict[str, Plan] = dict(plan.bodies)
        guards: dict[UUID, int] = {}
        for step in plan.steps.values():
            if isinstance(step, PlannedSubProcess) and step.process_id is not None:
                try:
                    callees[step.id], guards[step.process_id] = self.startable(step.process_id, step.version)
                except (NotFound, Forbidden):
                    latest = self._latest.get(step.process_id)
                    guards[step.process_id] = 0 if latest is None else latest.revision
        return callees, tuple(guards.items())

    def pinned(self, plan: Plan, versions: Mapping[str, int]) -> Callees:
        """Return the plans that the steps of `plan` call, in the pinned `versions`. Raises NotFound."""
        called = ((step, plan.steps[step], version) for step, version in versions.items())
        named = {
            id: self.get(step.process_id, version)
            for id, step, version in called
            if isinstance(step, PlannedSubProcess) and step.process_id is not None
        }
        return {**plan.bodies, **named} if plan.bodies else named

    def _load(self, process_id: UUID, version: int) -> Plan:
        kept = self._plans
        process = self.latest(process_id).process
        if version not in process.versions:
            process = self.latest(process_id, fresh=True).process
        if version not in process.versions:
            raise NotFound(f"the process has no version {version}")
        published = process.versions[version]
        definition = load_definition(published.definition)
        plan = compile_plan(definition, process_id, version, self._limits, published.rules)
        kept[process_id, version] = plan
        return plan


def refuse_paused(name: str, pause: ProcessPause | None) -> None:
    """Raise Forbidden ``process_paused`` for a pause that refuses starts."""
    if pause is not None and pause.mode == "refuse":
        why = f": {pause.reason}" if pause.reason else ""
        raise Forbidden(f"the process {name!r} is paused and refuses starts{why}", code="process_paused")


def _may_start(process: Process, version: int | None) -> bool:
    return process.status != "archived" and process.latest > 0 and (version is None or 1 <= version <= process.latest)
