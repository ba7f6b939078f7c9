"""The editor of a definition: check, save, format and publish a text; a plain form that a script makes comfortable."""

import functools
import secrets
from typing import Annotated, Any

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from commands.processes import DraftProcess, ReviseProcess
from domain.identity import process_id
from domain.language import Parsed, parse_definition, print_definition
from domain.language.editing.fixes import TextProblem, mended
from domain.language.editing.names import KnownNames, known_names
from domain.language.editing.spans import holds_comments
from domain.refusal import Forbidden, Malformed, Stale
from domain.templates.importing import named_text
from edge.admitted import Caller
from edge.bodies import MAX_BODY, read_body
from edge.dependencies import Reads, TheDoor, door_of
from edge.door import Door
from edge.principal import cause_of, principal_of
from edge.protection import POLICY
from edge.references import process_named
from edge.rehearsals import COMMANDS
from edge.scopes import requires
from edge.visibility import require_visible_name
from queries.processes import ProcessDetail, get_process
from queries.reading import Reading
from queries.role_texts import text_with_roles
from web.forms import PageParameters, carry_out, long_form
from web.layout import page
from web.processes.differences import DifferingLine, differing_lines
from web.processes.drawing import drawing_of_definition
from web.schedules.previews import previews_beside, without_previews
from web.templating import render

# A text of 1 MiB, each of whose bytes a form may write as three characters.
MAX_FORM = 4 << 20
NEW = """name: new-process
description: What it is for.

input:
  subject: {type: string, required: true}

steps:
  - id: first
    type: human_approval
    title: "Go on with {{ input.subject }}?"
    approvers: [somebody]
"""

router = APIRouter(prefix="/processes")
DESIGNS = requires(ReviseProcess.scope)
DRAFTS = requires(DraftProcess.scope, listed=True)


class EditedText(msgspec.Struct, frozen=True):
    """A text in the editor. revision: of the process that it began from. saved: whether it is the stored one.

    note: what has just happened, in words; colour: of the note. theirs: the stored text in a conflict;
    lines: what differs. name: what was typed for a text with a placeholder in the place of its name.
    """

    text: str
    revision: int = 0
    saved: bool = False
    note: str = ""
    colour: str = "bad"
    theirs: str | None = None
    lines: list[DifferingLine] = []
    name: str = ""
    code: int = 200


class CheckedText(msgspec.Struct, frozen=True):
    """A text that was checked. listed: its problems as HTML. schedules: when they come, as HTML; None with errors.

    names: those that its expressions may use; None for a text that cannot be read.
    """

    problems: list[TextProblem]
    listed: str
    schedules: str | None
    names: KnownNames | None


@router.get("/new", **DRAFTS)
def new(request: Request) -> Response:
    """Return the editor with a text to begin from."""
    return _editor(request, None, EditedText(NEW, saved=True))


@router.get("/{process}/edit", **DESIGNS)
def edit(process: str, request: Request, reading: Reads, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the editor with the draft, else with the text of the latest version and the roles in effect on it."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    stored = found.yaml or ""
    text = text_with_roles(reading, found.process_id, stored) if found.draft is None else stored
    note = "" if text == stored else "Roles that were changed on the published version are written into the text."
    return _editor(request, found, EditedText(text, found.revision, saved=text == stored, note=note, colour="wait"))


@router.post("/new/check", **DRAFTS)
@router.post("/{process}/check", **DESIGNS)
async def check(request: Request, reading: Reads, door: TheDoor) -> Response:
    """Return what the script shows beside the text in the body; the diagram follows by a request of its own."""
    source = await read_body(request, MAX_BODY)
    found = await anyio.to_thread.run_sync(_checked, door, reading, source, limiter=COMMANDS)
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.post("/new/drawing", **DRAFTS)
@router.post("/{process}/drawing", **DESIGNS)
async def drawing(request: Request) -> Response:
    """Return the diagram of the text in the body; nothing while the text has errors."""
    source = await read_body(request, MAX_BODY)
    picture = await anyio.to_thread.run_sync(_picture, source, limiter=COMMANDS)
    return HTMLResponse(picture) if picture else Response(status_code=204)


@router.post("/new", **DRAFTS)
async def act_on_new(request: Request, caller: Caller) -> Response:
    """Check, format or save a text that is not stored yet."""
    fields = await long_form(request, MAX_FORM)
    text, typed = fields.get("source", ""), fields.get("name", "").strip()
    given = await anyio.to_thread.run_sync(named_text, text, typed or None, limiter=COMMANDS)
    if given.problems:
        note = f"Not done: {given.problems[0].message}."
        return await _shown(request, None, EditedText(text, note=note, name=typed, code=422))
    text = fields["source"] = str(given.text)
    edited = await anyio.to_thread.run_sync(_text_after, door_of(request), fields, "", limiter=COMMANDS)
    if edited is not None:
        return await _shown(request, None, edited)
    command = DraftProcess(text)
    name = (await anyio.to_thread.run_sync(parse_definition, text)).name
    if name is not None:
        require_visible_name(caller, name)
    try:
        receipt = await carry_out(door_of(request).handlers.processes.draft, command, cause_of(request))
    except (Malformed, Forbidden) as refusal:
        code = 422 if isinstance(refusal, Malformed) else 409
        return await _shown(request, None, EditedText(text, note=f"Not saved: {refusal.message}.", code=code))
    after = "publish" if fields.get("act") == "publish" else "edit"
    return RedirectResponse(f"/processes/{name}/{after}?done=draft-saved&min_position={receipt.position}", 303)


@router.post("/{process}/edit", **DESIGNS)
async def act(process: str, request: Request, reading: Reads) -> Response:
    """Check, format or save a text as the draft, or go on to its publication."""
    fields = await long_form(request, MAX_FORM)
    id, stated = process_named(process), fields.get("revision", "")
    revision = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else -1
    found = await anyio.to_thread.run_sync(get_process, reading, id)
    stored = found.yaml or ""
    edited = await anyio.to_thread.run_sync(_text_after, door_of(request), fields, stored, limiter=COMMANDS)
    if edited is not None:
        return await _shown(request, found, msgspec.structs.replace(edited, revision=revision))
    text = _as_stored(fields.get("source", ""), stored)
    publishes = fields.get("act") == "publish"
    if publishes and text == stored and revision == found.revision:
        return RedirectResponse(f"/processes/{found.name}/publish", 303)
    try:
        command = ReviseProcess(id, text, revision)
        receipt = await carry_out(door_of(request).handlers.processes.revise, command, cause_of(request))
    except Stale as refusal:
        return await _conflict(request, reading, found, text, int(refusal.details["version"]))  # type: ignore[call-overload]
    except (Malformed, Forbidden) as refusal:
        code = 422 if isinstance(refusal, Malformed) else 409
        edited = EditedText(text, revision, note=f"Not saved: {refusal.message}.", code=code)
        return await _shown(request, found, edited)
    after = "publish" if publishes else "edit"
    return RedirectResponse(f"/processes/{found.name}/{after}?done=draft-saved&min_position={receipt.position}", 303)


def _text_after(door: Door, fields: dict[str, str], stored: str) -> EditedText | None:
    """Return the text after an act that stores nothing; None if the act stores the text."""
    text, act = _as_stored(fields.get("source", ""), stored), fields.get("act", "check")
    if act == "check":
        return EditedText(text, saved=text == stored)
    if act == "format":
        definition = parse_definition(text).definition
        if definition is None:
            return EditedText(text, note="Not formatted: a text with errors cannot be printed.")
        printed = print_definition(definition)
        lost = " Its comments are not in it: save it only if you can do without them." if holds_comments(text) else ""
        return EditedText(printed, saved=printed == stored, note=f"Formatted, not saved.{lost}", colour="wait")
    if act.startswith("fix:"):
        problems = door.handlers.processes.propose(text)
        chosen = next(
            (each for n, each in enumerate(problems) if each.fix and act == f"fix:{n}:{each.fix.label}"), None
        )
        return EditedText(text if chosen is None or chosen.fix is None else mended(text, chosen.fix))
    return None


async def _conflict(request: Request, reading: Any, found: ProcessDetail, text: str, revision: int) -> Response:
    """Return the editor with both texts: what was typed, and what somebody else has stored since."""
    detail = functools.partial(get_process, reading, found.process_id)
    theirs = await anyio.to_thread.run_sync(detail)
    stored = theirs.yaml or ""
    note = (
        "Not saved: somebody else has changed the process since you opened it. "
        "Your text is in the editor. If you save it again, it takes the place of theirs."
    )
    lines = await anyio.to_thread.run_sync(differing_lines, stored, text)
    edited = EditedText(text, revision, note=note, theirs=stored, lines=lines, code=412)
    return await _shown(request, theirs, edited)


async def _shown(request: Request, found: ProcessDetail | None, edited: EditedText) -> Response:
    return await anyio.to_thread.run_sync(_editor, request, found, edited)


def _editor(request: Request, found: ProcessDetail | None, edited: EditedText) -> Response:
    """Return the page of the editor; its policy permits the style of CodeMirror by a nonce."""
    nonce = secrets.token_urlsafe(16)
    source = edited.text.encode()
    parsed, door = _read(source), door_of(request)
    problems: list[TextProblem] = door.handlers.processes.propose_for(parsed)
    coming = previews_beside(door, door.reading, parsed)
    name = "New process" if found is None else found.name
    answer = page(
        request,
        "editor.html",
        title=f"Edit {name}" if found else name,
        nav="Processes",
        code=edited.code,
        crumbs=[("Processes", "/processes"), *([(name, f"/processes/{name}")] if found else []), ("Definition", None)],
        found=found,
        edited=edited,
        problems=problems,
        picture=_picture(source),
        schedules=without_previews() if coming is None else coming,
        nonce=nonce,
        base="/processes/new" if found is None else f"/processes/{found.name}",
        action="/processes/new" if found is None else f"/processes/{found.name}/edit",
        designs=principal_of(request).may(ReviseProcess.scope),
    )
    answer.headers["Content-Security-Policy"] = POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    return answer


def _checked(door: Door, reading: Reading, source: bytes) -> CheckedText:
    parsed = _read(source)
    problems = door.handlers.processes.propose_for(parsed)
    coming = previews_beside(door, reading, parsed)
    return CheckedText(
        problems,
        render("problems.html", {"problems": problems}),
        # Of a subclass of str there is no JSON.
        None if coming is None else str.__str__(coming),
        None if parsed.root is None else known_names(parsed.root),
    )


# A text is checked and then drawn, by two requests one after the other: it is read once for both.
@functools.lru_cache(maxsize=4)
def _read(source: bytes) -> Parsed:
    return parse_definition(source)


def _picture(source: bytes) -> Markup | None:
    definition = _read(source).definition
    if definition is None:
        return None
    return drawing_of_definition(process_id("draft"), definition, "the text", linked=True)


def _as_stored(text: str, stored: str) -> str:
    """Return the text of a form with the line ends of the stored text."""
    return text.replace("\n", "\r\n") if "\r\n" in stored else text
