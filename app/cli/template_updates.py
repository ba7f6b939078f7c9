"""templates update: a later version of its template, brought into a process."""

from typing import Annotated

import typer

from app.cli.options import DryRun, JsonOption
from app.cli.output import output_of
from edge.references import process_named


def update(
    context: typer.Context,
    process: Annotated[str, typer.Argument(metavar="PROCESS", help="A process by name or id.")],
    version: Annotated[int | None, typer.Option(min=1, help="Of the template. Default: the latest.")] = None,
    dry_run: DryRun = False,
    json: JsonOption = False,
) -> None:
    """Bring a newer version of its template into the draft of a process."""
    from app.cli.carrying_out import carry_out
    from app.wiring import operator
    from commands.template_versions import TakeTemplateVersion
    from domain.templates.access import TemplateCaller

    command = TakeTemplateVersion(process_named(process), TemplateCaller("user:cli", admin=True), version)
    carry_out(
        output_of(context, json),
        lambda wiring: wiring.template_versions.take(command, operator("cli:templates")),
        what=process,
        done="the draft has the newer version of its template",
        already="it has this version already",
        facts={},
        dry_run=dry_run,
        needs_worker=False,
        process=process,
    )
