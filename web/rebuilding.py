"""The state of a page whose read model is built for this release: what is built, how far, since when, what to do."""

from fastapi import Request
from starlette.responses import Response

from edge.dependencies import door_of
from edge.principal import Principal
from edge.scopes import READ
from edge.statuses import HEADERS, status_of
from queries.projections import list_projections
from queries.reading import ReadModelRebuilding
from web.layout import page

EVERY_SECONDS = 2


def rebuilding(request: Request, refusal: ReadModelRebuilding) -> Response:
    """Return the page that stands in for one that cannot be shown yet; it gives way by itself."""
    principal: Principal | None = getattr(request.state, "principal", None)
    code, name = status_of(refusal), refusal.details["projection"]
    found = next((each for each in list_projections(door_of(request).reading).items if each.name == name), None)
    answer = page(
        request,
        "rebuilding.html",
        title="Not ready yet",
        code=code,
        live=True,
        every=EVERY_SECONDS,
        name=name,
        found=found,
        problem_code=refusal.code,
        operates=principal is not None and principal.may(READ) and not principal.processes,
    )
    answer.headers.update(HEADERS.get(code, {}))
    return answer
