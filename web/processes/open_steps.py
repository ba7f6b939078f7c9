"""The steps that a diagram shows open: the parameter `inside` of a page, and the addresses that open and close them."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import Query
from starlette.requests import Request

from web.forms import PageParameters
from web.layout import url_with

LONGEST = 2_000
DIAGRAM = "h-dia"
"""The anchor of the diagram on each page that has one."""


class DrawnParameters(PageParameters):
    """inside: the places of the steps that show what they hold, such as ``revise,visit/pack``; others are left out."""

    inside: Annotated[str, Query(max_length=LONGEST)] = ""


class OpenSteps(msgspec.Struct, frozen=True):
    """The steps that show what they hold, by their places in the version. places: None for all of them.

    address: of the page without the parameter; empty where nothing opens or closes a step.
    """

    places: frozenset[str] | None = None
    address: str = ""

    def shows(self, place: str) -> bool:
        """Return whether the step at `place` is open."""
        return self.places is None or place in self.places

    def toggled(self, place: str) -> str:
        """Return the address of the page with the step at `place` opened, or closed."""
        if not self.address:
            return ""
        others = sorted((self.places or frozenset()) - {place})
        others += [] if self.shows(place) else [place]
        while len(",".join(others)) > LONGEST:
            others.pop(0)
        joint = "&" if "?" in self.address else "?"
        stated = f"{joint}inside={quote(','.join(others), safe='/,')}" if others else ""
        return f"{self.address}{stated}#{DIAGRAM}"


ALL_OPEN = OpenSteps()


def open_steps(request: Request, inside: str) -> OpenSteps:
    """Return the steps that a page shows open. inside: its parameter."""
    places = frozenset(inside.split(",")) if inside else frozenset[str]()
    return OpenSteps(places, url_with(request, {"inside": None, "done": None}))
