"""Routes of several routers in one list are what FastAPI makes of the routers."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api import executions
from api.app import GUARDED as NOUNS
from api.mcp import route as mcp
from edge.admitted import ADMITTED
from edge.routes import routes_below
from web.app import GUARDED as PAGES


def noting(word: str) -> Any:
    """A dependency that notes its word."""

    async def note(request: Request) -> None:
        request.state.words = [*getattr(request.state, "words", []), word]

    return Depends(note)


notes = APIRouter(prefix="/notes", tags=["notes"], dependencies=[noting("router")])


@notes.get("/{name}", dependencies=[noting("route")], status_code=203, deprecated=True)
async def words(name: str, request: Request, end: Annotated[str, Query()] = "") -> list[str]:
    return [*request.state.words, name, end]


def described(app: FastAPI) -> dict[str, Any]:
    return get_openapi(title="", version="", routes=app.routes)


@pytest.mark.parametrize("router", [notes, *(noun.router for noun in (*NOUNS, *PAGES))])
def test_the_list_is_described_as_the_included_router(router: APIRouter) -> None:
    including = FastAPI(openapi_url=None)
    including.include_router(router, prefix="/below", dependencies=[ADMITTED])
    listing = FastAPI(openapi_url=None, routes=list(routes_below("/below", router, ADMITTED)))
    assert described(listing) == described(including)


def test_a_route_has_the_dependencies_of_the_list_before_its_own() -> None:
    listing = FastAPI(routes=list(routes_below("/below", notes, noting("list"))))
    with TestClient(listing) as client:
        answer = client.get("/below/notes/name?end=end")
    assert (answer.status_code, answer.json()) == (203, ["list", "router", "route", "name", "end"])


def test_a_route_stays_of_its_class() -> None:
    (protocol,) = routes_below("", mcp.router, ADMITTED)
    assert type(protocol) is type(mcp.router.routes[0]) is not APIRoute
    assert {type(each) for each in routes_below("/api", executions.router)} == {APIRoute}
