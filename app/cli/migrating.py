"""migrate: bring the database up to date."""

from typing import Annotated

import typer

from app.cli.opening import opened_database
from app.cli.options import DryRun, JsonOption
from app.cli.output import output_of
from app.secrets_in_use import require_decided
from app.settings import read_settings

cli = typer.Typer()


@cli.command()
def migrate(
    context: typer.Context,
    grant_to: Annotated[
        str | None,
        typer.Option("--grant-to", metavar="ROLE", help="Grant this role what serving and projecting need."),
    ] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Apply the migrations that the database lacks, and create missing read tables. Safe to repeat.

    Read tables of another shape are not touched: a projector builds new ones beside them, and switches. The role of
    --grant-to can append events, and cannot change or delete them; it becomes the owner of the read tables.
    """
    output = output_of(context, json)
    settings = read_settings()
    with opened_database(output, settings) as database, output.busy("migrating"):
        require_decided(database, settings, output.note)
        names = database.rehearse() if dry_run else database.migrate()
        stale = [] if dry_run else database.stale_read_models()
        if grant_to is not None:
            database.grant_serving(grant_to, dry_run=dry_run)
    verb = "would apply" if dry_run else "applied"
    lines = [f"{verb} {name}" for name in names] or ["nothing to apply"]
    lines += [
        f"{name} has the tables of another release; a projector builds this release's beside them" for name in stale
    ]
    if grant_to is not None:
        lines.append(f"{'would grant' if dry_run else 'granted'} {grant_to} what serving and projecting need")
    document = {"pending": names} if dry_run else {"applied": names, "to_build": stale}
    output.answer(document | ({} if grant_to is None else {"granted_to": grant_to}), *lines)
