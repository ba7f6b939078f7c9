"""Templates of pages: text of others is always escaped, and a name that is missing is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web import pictures, wording
from web.drawings import timeline
from web.drawings.diagram import diagram
from web.drawings.ledger import ledger

HERE = Path(__file__).parent


def environment() -> Environment:
    """Return the environment of all pages."""
    found = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals.update(
        icon=pictures.icon,
        status=pictures.status,
        mark=pictures.mark,
        shown=pictures.shown,
        diagram=diagram,
        strip=ledger,
        axis=timeline.axis,
        row=timeline.row,
        shortened=wording.shortened,
        cut=wording.cut,
        awaited=wording.awaited,
        crumbs=(),
        notice="",
    )
    found.filters.update(
        duration=wording.duration,
        ahead=wording.ahead,
        money=wording.money,
        tail=wording.tail,
        who=wording.who,
        size=wording.size,
        document=wording.document,
    )
    return found


ENVIRONMENT = environment()


def render(name: str, values: dict[str, Any]) -> str:
    """Return the page of a template."""
    return ENVIRONMENT.get_template(name).render(values)
