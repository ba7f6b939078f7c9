"""One template: what it needs and takes, its versions, what came from it; share and withdraw it."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.template_uses import UseTemplate
from commands.templates import ShareTemplate, WithdrawTemplate
from domain.templates.access import TemplateCaller
from domain.templates.state import ORGANISATION, PRIVATE, TEAM_PREFIX
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.door import Door
from edge.principal import Principal
from edge.references import template_named
from edge.scopes import READ, requires
from edge.templates import surroundings_of, template_caller
from queries.reading import Reading
from queries.templates.detail import get_template
from queries.templates.uses import list_uses
from queries.templates.views import TemplateDetail
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters
from web.layout import page
from web.processes.differences import DifferingLine, differing_lines
from web.templates.fields import default_of
from web.templates.list import HREF
from web.templates.shapes import picture_of
from web.templates.words import source_word

USES = 20
SHARE = Act(
    "Share the template", "", "template-shared", lambda handlers: handlers.templates.share, ("with",), reasoned=False
)
WITHDRAW = Act(
    "Withdraw the template", "", "template-withdrawn", lambda handlers: handlers.templates.withdraw, danger=True
)

router = APIRouter(prefix=f"{HREF}/{{template_id}}")


class TemplateParameters(PageParameters):
    """version: of the template; default: the latest."""

    version: Annotated[str, Query(max_length=10)] = ""

    @property
    def number(self) -> int | None:
        """The version as a number; None for the latest."""
        return number_of(self.version)


def number_of(stated: str) -> int | None:
    """Return the number of a version that a text states; None for any other text."""
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) <= 9 else None


@router.get("", **requires(READ, listed=True))
def detail(
    template_id: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    given: Annotated[TemplateParameters, Query()],
) -> Response:
    """Return the page of one template."""
    return _page(request, reading, caller, template_id, given)


@router.post("/share", **requires(ShareTemplate.scope, listed=True))
async def share(template_id: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Let nobody else, a team, or the organisation use the template, and return to it."""
    reference, acting = template_named(template_id), template_caller(caller)
    show = partial(_page, request, reading, caller, template_id, TemplateParameters())
    return await attempt(
        request,
        SHARE,
        lambda fields: ShareTemplate(reference, acting, fields["with"]),
        lambda form: show(sharing=form),
        f"{HREF}/{template_id}",
    )


@router.post("/withdraw", **requires(WithdrawTemplate.scope, listed=True))
async def withdraw(template_id: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Take the template out of use, and return to it."""
    reference, acting = template_named(template_id), template_caller(caller)
    show = partial(_page, request, reading, caller, template_id, TemplateParameters())
    return await attempt(
        request,
        WITHDRAW,
        lambda fields: WithdrawTemplate(reference, acting, fields["reason"]),
        lambda form: show(withdrawing=form),
        f"{HREF}/{template_id}",
    )


def _page(
    request: Request,
    reading: Reading,
    caller: Principal,
    template_id: str,
    given: TemplateParameters,
    *,
    sharing: ActForm = UNTRIED,
    withdrawing: ActForm = UNTRIED,
) -> Response:
    door, reference, acting = door_of(request), template_named(template_id), template_caller(caller)
    surroundings = surroundings_of(door)
    found = get_template(reading, surroundings, acting, reference, given.number, min_position=given.min_position)
    uses = list_uses(reading, surroundings, acting, reference, cursor=given.cursor, limit=USES)
    return page(
        request,
        "template.html",
        title=found.name,
        nav="Templates",
        code=max(sharing.code, withdrawing.code),
        freshness=found,
        crumbs=[("Templates", HREF), (found.name, None)],
        found=found,
        older=found.version < found.latest,
        picture=picture_of(found.yaml, found.name),
        parameters=[(name, each, default_of(each)) for name, each in found.parameters.items()],
        uses=uses.items,
        next_uses=uses.next_cursor,
        given=given,
        changes=_changes(door, reading, acting, found),
        designs=caller.may(UseTemplate.scope),
        keeps=found.kept and found.status != "withdrawn" and caller.may(ShareTemplate.scope),
        shares=[PRIVATE, ORGANISATION, *(f"{TEAM_PREFIX}{team}" for team in sorted(caller.teams))],
        sharing=sharing,
        withdrawing=withdrawing,
        source_word=source_word,
    )


def _changes(door: Door, reading: Reading, acting: TemplateCaller, found: TemplateDetail) -> list[DifferingLine]:
    """Return the lines that differ from the version before."""
    if all(each.version != found.version - 1 for each in found.versions):
        return []
    reference = template_named(found.template_id)
    before = get_template(reading, surroundings_of(door), acting, reference, found.version - 1)
    return differing_lines(before.yaml, found.yaml)
