"""The documentation of the API for people, at /docs: Swagger UI from a package, with no other host involved."""

import functools
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from domain.refusal import NotFound
from edge.admitted import ADMITTED
from edge.parameters import NO_PARAMETERS
from edge.principal import admit
from edge.protection import POLICY
from edge.refusals import Unauthorised
from edge.scopes import READ_DESCRIPTION, requires

router = APIRouter(dependencies=[NO_PARAMETERS], include_in_schema=False)

# Relative addresses hold behind a proxy that adds a prefix.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Procession: the HTTP API</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# Without a validator, which would be another host.
START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
"""
KINDS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon.png": "image/png",
    "start.js": "text/javascript",
}
# The stylesheet holds its icons as data; the script styles elements one by one, which the policy allows.
_POLICY = {"Content-Security-Policy": POLICY.replace("img-src 'self'", "img-src 'self' data:")}
_CACHED = {"Cache-Control": "public, max-age=3600"}


@router.get("/docs", **requires(READ_DESCRIPTION, listed=True))
async def page(request: Request) -> Response:
    """Return the page; a browser without a session is sent to the sign-in, and back."""
    try:
        await admit(request, READ_DESCRIPTION)
    except Unauthorised:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return RedirectResponse("sign-in?next=%2Fdocs", 303)
    return HTMLResponse(PAGE, headers=_POLICY)


@router.get("/openapi.json", dependencies=[ADMITTED], **requires(READ_DESCRIPTION, listed=True))
def description(request: Request) -> Response:
    """Return the description of the API."""
    return JSONResponse(request.app.openapi())


@router.get("/docs/{asset}")
def asset(asset: str) -> Response:
    """Return a script, a stylesheet or the icon of the page."""
    if asset not in KINDS:
        raise NotFound("there is nothing of that name here")
    return Response(_content(asset), media_type=KINDS[asset], headers=_CACHED)


@functools.cache
def _content(asset: str) -> bytes:
    if asset == "start.js":
        return START.encode()
    return (files("fastapi_offline") / "static" / asset).read_bytes()
