"""Templates of pages: text of others is always escaped, and a name that is missing is an error."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.listed_values import join_values
from edge.run_names import place_name, run_name
from web import pictures, wording
from web.analytics import charts
from web.analytics import wording as analytics
from web.drawings import timeline
from web.drawings.diagram import diagram
from web.drawings.ledger import ledger
from web.drawings.split import split
from web.drawings.track import track
from web.escaping import PlainOutputEnvironment
from web.executions.rows import child_row, timeline_row
from web.executions.sentences import sentence

HERE = Path(__file__).parent


def environment() -> Environment:
    """Return the environment of all pages."""
    found = PlainOutputEnvironment(
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
        track=track,
        timeline_row=timeline_row,
        child_row=child_row,
        split=split,
        ended_chart=charts.ended_chart,
        outline_of=charts.outline_of,
        cost_charts=charts.cost_charts,
        amount=analytics.amount,
        shares=analytics.shares,
        split_words=analytics.split_words,
        change_in_percent=analytics.change_in_percent,
        change_of_rate=analytics.change_of_rate,
        change_of_count=analytics.change_of_count,
        change_of_duration=analytics.change_of_duration,
        change_of_amount=analytics.change_of_amount,
        shortened=wording.shortened,
        cut=wording.cut,
        awaited=wording.awaited,
        all_awaited=wording.all_awaited,
        approval_of=wording.approval_of,
        run_name=run_name,
        place_name=place_name,
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
        listed=join_values,
        sentence=sentence,
        rate=analytics.rate,
        day_name=analytics.day_name,
    )
    return found


ENVIRONMENT = environment()


def render(name: str, values: dict[str, Any]) -> str:
    """Return the page of a template."""
    return ENVIRONMENT.get_template(name).render(values)
