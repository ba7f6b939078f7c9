"""The route ``/mcp``: it admits a request as every guarded route does, and hands it to the protocol."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.mcp.lifetime import ProtocolServer
from domain.refusal import Refusal
from edge.scopes import READ_INBOX, requires
from edge.statuses import UNAVAILABLE

_REFUSED: tuple[type[Exception], ...] = (Refusal, *UNAVAILABLE)


class _ProtocolRoute(APIRoute):
    """Answers a request that is not admitted with an error of the protocol."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the errors of the protocol around it."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except _REFUSED as failure:
                from api.mcp.failures import refused_at_the_door

                return refused_at_the_door(failure)

        return handled


class _Handed(Response):
    """An answer that another application gives."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        await self._app(scope, receive, send)


router = APIRouter(route_class=_ProtocolRoute, redirect_slashes=False)


@router.post("/mcp", include_in_schema=False, **requires(READ_INBOX, listed=True))
async def protocol(request: Request) -> Response:
    """Answer one message of the Model Context Protocol (streamable HTTP, without sessions)."""
    server: ProtocolServer = request.app.state.protocol
    return _Handed(await server.answering())
