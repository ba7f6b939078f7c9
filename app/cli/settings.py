"""settings: those that the environment of this command gives, without the values of secrets."""

import typer

from app.cli.options import JsonOption
from app.cli.output import output_of
from app.settings import read_settings

cli = typer.Typer()


@cli.command()
def settings(context: typer.Context, json: JsonOption = False) -> None:
    """Show the settings in force in this environment; of a secret, only whether it is set."""
    from app.settings_in_force import settings_in_force
    from queries.settings import SettingsView

    output = output_of(context, json)
    found = settings_in_force(read_settings())
    if json:
        output.document(SettingsView(found))
        return
    rows = [
        (each.variable, ("set" if each.given else "not set") if each.secret else each.value or "",
         "environment" if each.given else "default")
        for each in found
    ]  # fmt: skip
    output.table(("setting", "value", "from"), rows)
