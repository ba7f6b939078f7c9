"""The routes of several routers in one list, which a request passes once."""

import inspect
from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute

_STATED = tuple(inspect.signature(APIRoute).parameters)
"""The parameters of a route; it keeps each under the same name."""


def routes_below(prefix: str, router: APIRouter, *dependencies: Depends) -> list[APIRoute]:
    """Return the routes of `router` with `prefix` before their paths, and `dependencies` before their own.

    FastAPI would keep a router that another one includes as it is: a request passes it twice at each level, and each
    time FastAPI counts the routes of all routers in it, in case one was added.
    """
    return [_below(prefix, route, dependencies) for route in router.routes]


def _below(prefix: str, route: object, dependencies: Sequence[Depends]) -> APIRoute:
    assert isinstance(route, APIRoute)
    stated = {name: getattr(route, name) for name in _STATED}
    stated["path"] = prefix + route.path
    stated["dependencies"] = [*dependencies, *route.dependencies]
    return type(route)(**stated)
