"""The steps of an execution as rows beside the bars of its timeline."""

from functools import lru_cache

import msgspec
from markupsafe import Markup

from queries.amounts import Amount
from queries.executions import ExecutionSummary, StepView
from queries.steps import ChildExecution
from web.executions.picture import who_of
from web.pictures import mark
from web.wording import duration, money

_STEP = Markup(
    '<li id="row-{}"><a href="{}"{}><span class="nmx">{}<span class="cut">{}</span><span></span>'
    '<span class="cut xs m">{}</span></span>'
)
_FIGURES = Markup('<span class="num r nw">{}</span><span class="r">{}</span></a></li>')
_amounts = msgspec.json.Decoder(list[Amount]).decode
_CURRENT = Markup(' aria-current="true"')


def timeline_row(step: StepView, undone: str, href: str, bars: Markup, selected: str) -> Markup:
    """Return the row of a step. undone: the name of the step that it compensates; empty for none."""
    title = f"undoes {undone}" if undone else step.name or step.id
    who = who_of(step) + (f", {step.attempts} attempts" if step.attempts > 1 else "")
    named = _step(step.id, step.status, title, who, href, step.id == selected)
    # All three are escaped.
    return Markup("".join((named, bars, _figures(step.duration, tuple(step.cost)))))  # noqa: S704


def child_row(child: ChildExecution | ExecutionSummary, name: str, bars: Markup) -> Markup:
    """Return the row of an execution that a step started: an item or a round."""
    cost = tuple(child.cost) if isinstance(child, ChildExecution) else tuple(_amounts(bytes(child.cost)))
    href = f"/executions/{child.execution_id}"
    named = _step(str(child.execution_id), child.status, name, str(child.execution_id)[-8:], href, False)
    return Markup("".join((named, bars, _figures(child.duration, cost))))  # noqa: S704 - as above


# An open page is drawn once a second while its execution runs, and few of its rows are others than before.
@lru_cache(2_048)
def _step(id: str, status: str, title: str, who: str, href: str, selected: bool) -> Markup:
    return _STEP.format(id, href, _CURRENT if selected else "", mark(status), title, who)


@lru_cache(2_048)
def _figures(seconds: float | None, cost: tuple[Amount, ...]) -> Markup:
    return _FIGURES.format(duration(seconds), money(cost))
