"""Decisions about a process: pure functions from state and parsed text to events, or a refusal."""

from collections.abc import Sequence

from domain import identity
from domain.event import Cause, Event, record
from domain.language import Parsed, definition_document
from domain.processes.events import (
    ProcessArchived,
    ProcessDrafted,
    ProcessPaused,
    ProcessPublished,
    ProcessRestored,
    ProcessResumed,
    ProcessRevised,
)
from domain.processes.lineage import Lineage
from domain.processes.plan import RULES
from domain.processes.process import PauseMode, Process
from domain.refusal import Forbidden, Malformed, Problem

MAX_REASON = 2_000


def draft_process(process: Process | None, parsed: Parsed, cause: Cause, lineage: Lineage | None = None) -> list[Event]:
    """Draft a new process under the name in `parsed`; a draft may keep errors.

    `process` is the present process of that name. lineage: the template that made the text.
    Raises Malformed when the text cannot even be a draft, Forbidden ``process_name_taken`` (details: process_id) when
    the name is in use.
    """
    name = _name_of(parsed)
    if process is not None:
        raise Forbidden(
            f"the name {name!r} is taken by another process; revise that one, or choose another name",
            code="process_name_taken",
            process_id=str(identity.process_id(name)),
        )
    return [record(ProcessDrafted, cause, name=name, source=parsed.source, lineage=lineage)]


def revise_process(process: Process, parsed: Parsed, cause: Cause, lineage: Lineage | None = None) -> list[Event]:
    """Replace the draft's text, or begin a draft when everything is published. Returns no events for the same text.

    lineage: of the text, where it takes a later version of its template; this is recorded with the same text too.
    Raises Malformed when the text cannot even be a draft, Forbidden ``name_differs`` or ``process_archived``.
    """
    _refuse_archived(process)
    name = _name_of(parsed)
    if name != process.name:
        raise Forbidden(
            f"this process is called {process.name!r} and its name is its identity; "
            f"draft {name!r} as a process of its own",
            code="name_differs",
        )
    later = None if lineage == process.lineage else lineage
    if parsed.source == current_source(process) and later is None:
        return []
    return [record(ProcessRevised, cause, name=name, source=parsed.source, lineage=later)]


def publish_process(process: Process, parsed: Parsed, found: Sequence[Problem], cause: Cause) -> list[Event]:
    """Publish the draft as the next version; returns no events when the latest version is the same already.

    `parsed` is the parsed draft (`process.draft_source`), `found` the problems of its references to agents, other
    processes and channels. Raises Malformed with every problem when there is an error, Forbidden ``process_archived``.
    """
    _refuse_archived(process)
    if process.draft_source is None:
        return []
    problems = [*parsed.problems, *found]
    errors = sum(problem.severity == "error" for problem in problems)
    if parsed.definition is None or errors:
        raise Malformed(f"{process.name} has {errors} error(s) and cannot be published", problems)
    document = definition_document(parsed.definition)
    if process.latest and process.versions[process.latest].definition == document:
        return []
    lineage = process.lineage
    published = record(
        ProcessPublished,
        cause,
        name=process.name,
        version=process.latest + 1,
        source=process.draft_source,
        definition=document,
        warnings=[problem for problem in problems if problem.severity == "warning"],
        rules=RULES,
        template_id=None if lineage is None else lineage.template_id,
        template_version=None if lineage is None else lineage.template_version,
    )
    return [published]


def archive_process(process: Process, reason: str, cause: Cause) -> list[Event]:
    """Archive the process; returns no events when it is archived. `reason` is text for people.

    A reason has at most 2,000 characters.
    """
    if process.status == "archived":
        return []
    _check_reason(reason)
    return [record(ProcessArchived, cause, name=process.name, reason=reason)]


def restore_process(process: Process, found: Sequence[Problem], reason: str, cause: Cause) -> list[Event]:
    """Take the process out of the archive, with its versions and its draft; returns no events when it is in use.

    `found`: the problems of the references of its latest version. Raises Forbidden ``sub_process_cycle`` when it would
    call itself again, by way of versions that others published meanwhile. A reason has at most 2,000 characters.
    """
    if process.status != "archived":
        return []
    _check_reason(reason)
    cycles = [problem for problem in found if problem.code == "sub_process_cycle"]
    if cycles:
        raise Forbidden(cycles[0].message, code="sub_process_cycle", problems=cycles)
    return [
        record(
            ProcessRestored,
            cause,
            name=process.name,
            reason=reason,
            version=process.latest,
            source=process.archived_draft,
        )
    ]


def pause_process(process: Process, mode: PauseMode, reason: str, cause: Cause) -> list[Event]:
    """Let nothing start until the process is resumed; returns no events when it is paused in this mode.

    Raises Forbidden ``process_archived``. A reason has at most 2,000 characters.
    """
    _refuse_archived(process)
    if process.pause is not None and process.pause.mode == mode:
        return []
    _check_reason(reason)
    return [record(ProcessPaused, cause, name=process.name, reason=reason, mode=mode)]


def resume_process(process: Process, reason: str, cause: Cause) -> list[Event]:
    """Let executions start again; returns no events when it is not paused. A reason has at most 2,000 characters."""
    if process.pause is None:
        return []
    _check_reason(reason)
    return [record(ProcessResumed, cause, name=process.name, reason=reason)]


def _check_reason(reason: str) -> None:
    if len(reason) > MAX_REASON or "\0" in reason:
        problem = Problem("invalid_text", f"a reason is text of at most {MAX_REASON} characters without NUL", "reason")
        raise Malformed(problem.message, [problem])


def _name_of(parsed: Parsed) -> str:
    if parsed.name is None:
        raise Malformed("this is not a process definition yet", list(parsed.problems))
    return parsed.name


def _refuse_archived(process: Process) -> None:
    if process.status == "archived":
        raise Forbidden(f"{process.name} is archived", code="process_archived")


def current_source(process: Process) -> str:
    """Return the text of the draft, or else of the latest version."""
    if process.draft_source is not None:
        return process.draft_source
    return process.versions[process.latest].source
