"""roles set: changes roles together, in the draft or on the published version."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from app.cli.options import DryRun, JsonOption, words
from app.cli.output import output_of
from edge.references import process_named

if TYPE_CHECKING:
    from domain.roles.changes import RoleChanges

NONE = "none"
LARGEST_FILE = 2 << 20


def set_(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="The name or id of a process.")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="STEP AGENT ROLE", help="executor, monitor, informed or none; repeatable."),
    ] = None,
    of: Annotated[str, typer.Option(help="draft, or published for monitors and informed agents now.")] = "draft",
    file: Annotated[
        Path | None, typer.Option(help="A change set in JSON, {assign, revoke}; - for standard input.")
    ] = None,
    reason: Annotated[str, typer.Option(help="The reason, for people.", callback=words)] = "",
    revision: Annotated[int | None, typer.Option(help="Refuse the changes if the roles have another revision.")] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Change roles, all or none; a new executor takes the place of the present one."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.role_changes import ChangeRoles

    if of not in ("draft", "published"):
        raise typer.BadParameter("is draft or published", param_hint="--of")
    if bool(changes) == (file is not None):
        raise typer.BadParameter("give STEP AGENT ROLE, or --file", param_hint="STEP AGENT ROLE")
    stated = _of_words(changes or []) if file is None else _of_file(file)
    command = ChangeRoles(process_named(process), of, stated, reason, revision)
    cause = operator("cli:roles")
    count = len(stated.assign) + len(stated.revoke)
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.roles.change(command, cause),
        what=f"roles of {process}",
        done=f"{count} changed in the {of if of == 'draft' else 'published version'}",
        already="they are so already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
        process=process,
    )


def _of_words(words: list[str]) -> "RoleChanges":
    from domain.roles.changes import RoleAssignment, RoleChanges, RoleRemoval

    if len(words) % 3:
        raise typer.BadParameter("takes three words for each change: STEP AGENT ROLE", param_hint="STEP AGENT ROLE")
    each = [tuple(words[at : at + 3]) for at in range(0, len(words), 3)]
    return RoleChanges(
        [RoleAssignment(step, agent, role) for step, agent, role in each if role != NONE],
        [RoleRemoval(step, agent) for step, agent, role in each if role == NONE],
    )


def _of_file(file: Path) -> "RoleChanges":
    from app.documents import read_file
    from domain.roles.changes import RoleChanges

    text = read_file(str(file), LARGEST_FILE)
    if len(text) > LARGEST_FILE:
        raise typer.BadParameter(f"a change set is at most {LARGEST_FILE} bytes", param_hint="--file")
    try:
        return msgspec.json.decode(text, type=RoleChanges)
    except ValueError as error:
        raise typer.BadParameter(f"is no change set: {error}", param_hint="--file") from None
