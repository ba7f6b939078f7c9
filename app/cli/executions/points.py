"""Points of the log that commands take: positions and instants."""

from datetime import datetime

import typer

from edge.instants import parse_point


def point_given(option: str, text: str) -> int | datetime:
    """Return the point that `option` names. Raises BadParameter."""
    try:
        return parse_point(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
