"""templates check: every bundled template with its sample answers, run to the end on scripted agents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FAILED
from app.cli.lists import NUMBERS
from app.cli.options import JsonOption
from app.cli.output import CommandOutput, located, output_of

if TYPE_CHECKING:
    from app.template_checks.checking import CheckedTemplate

BUNDLED = "bundled:"

TemplateNames = Annotated[
    list[str] | None, typer.Argument(metavar="[TEMPLATE]...", help="By name or id. Default: all.")
]
TemplateFolder = Annotated[
    Path | None, typer.Option(help="A folder of NAME.yaml and NAME.check.yaml, instead of the bundled templates.")
]


def check(
    context: typer.Context, names: TemplateNames = None, folder: TemplateFolder = None, json: JsonOption = False
) -> None:
    """Render templates with their sample answers, and run their scenarios to the end on scripted agents.

    It needs no database and records nothing. Exit code 1 if a check fails.
    """
    from app.documents import FileUnreadable
    from app.template_checks.checking import check_template
    from app.template_checks.files import bundled_folder, read_folder
    from domain.refusal import Refusal
    from domain.words import did_you_mean

    output = output_of(context, json)
    try:
        files = read_folder(folder or bundled_folder())
    except OSError as error:
        raise FileUnreadable(f"the templates cannot be read: {error.strerror}: {error.filename}") from None
    chosen = [name.removeprefix(BUNDLED) for name in names or files.templates]
    for name in chosen:
        if name not in files.templates:
            hint = did_you_mean(name, files.templates)
            raise Refusal(f"there is no template {name[:80]!r}{hint and f'; {hint}'}", code="not_found")
    checked = [check_template(files, name) for name in chosen]
    if json:
        output.document({"passed": not any(each.failed for each in checked), "templates": checked})
    else:
        _write(output, checked)
    if any(each.failed for each in checked):
        raise typer.Exit(FAILED)


def _write(output: CommandOutput, checked: "list[CheckedTemplate]") -> None:
    for each in checked:
        for found in each.failed:
            problem = located(found.problem, found.file)
            output.line(f"{problem}{found.check and f' ({found.check})'}")
    rows = [
        (each.template, each.samples, each.scenarios, f"{len(each.failed)} failed" if each.failed else "passed")
        for each in checked
    ]
    output.table(("template", "samples", "scenarios", "result"), rows, right=NUMBERS | {"samples", "scenarios"})
