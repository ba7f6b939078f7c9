"""The library of templates: cards with the shape of their process, facets, and what cannot be used with the reason."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.template_uses import UseTemplate
from edge.admitted import Caller
from edge.dependencies import Reads, TheDoor
from edge.scopes import READ, requires
from edge.templates import surroundings_of, template_caller
from queries.templates.library import TemplateFilter, list_templates
from queries.templates.sources import sources_of
from queries.templates.views import TemplateFacets
from web.forms import PageParameters
from web.layout import page
from web.templates.shapes import thumb_of
from web.templates.words import SOURCES, missing_words, source_word

HREF = "/templates"
CARDS = 24
MOST_TAGS = 20

router = APIRouter(prefix=HREF)


class LibraryParameters(PageParameters):
    """q: words that a template has. tag, source: one of each; empty or unknown: any. withdrawn: show these too."""

    q: Annotated[str, Query(max_length=200)] = ""
    tag: Annotated[str, Query(max_length=64)] = ""
    source: str = ""
    withdrawn: bool = False


@router.get("", **requires(READ, listed=True))
def list_(
    request: Request, reading: Reads, door: TheDoor, caller: Caller, given: Annotated[LibraryParameters, Query()]
) -> Response:
    """Return the page of templates, the bundled ones first."""
    filter = TemplateFilter(
        given.q,
        [given.tag] if given.tag else [],
        [given.source] if given.source in SOURCES else [],
        withdrawn=given.withdrawn,
    )
    surroundings, acting = surroundings_of(door), template_caller(caller)
    found = list_templates(
        reading, surroundings, acting, filter, cursor=given.cursor, limit=CARDS, min_position=given.min_position
    )
    sources = sources_of(reading, surroundings, acting, [each.template_id for each in found.items])
    return page(
        request,
        "templates.html",
        title="Templates",
        nav="Templates",
        freshness=found,
        cards=[(each, thumb_of(sources.get(each.template_id, ""))) for each in found.items],
        next_cursor=found.next_cursor,
        given=given,
        sources=_sources(found.facets),
        tags=[(each.value, each.count) for each in found.facets.tags[:MOST_TAGS]],
        filtered=filter != TemplateFilter(),
        designs=caller.may(UseTemplate.scope),
        source_word=source_word,
        missing_words=missing_words,
    )


def _sources(facets: TemplateFacets) -> list[tuple[str, str, int]]:
    counts = {each.value: each.count for each in facets.sources}
    all_of = ("All", "", sum(counts.values()))
    return [all_of, *((word, source, counts.get(source, 0)) for source, word in SOURCES.items())]
