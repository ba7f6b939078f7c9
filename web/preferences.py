"""What a browser prefers, kept in its cookies: zone, theme, single keys; and the page that sets them."""

from zoneinfo import available_timezones

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from domain.calendar.zones import read_zone
from edge.scopes import READ_DESCRIPTION, requires
from web.forms import form_fields
from web.layout import CHOSEN_COOKIE, KEYS_COOKIE, THEME_COOKIE, THEMES, page

router = APIRouter()

YEAR = 365 * 86_400
WORDS = (("", "as the system"), ("light", "light"), ("dark", "dark"))


class Preferences(msgspec.Struct, frozen=True):
    """What a person set. zone: empty for that of the browser; theme: empty for that of the system."""

    zone: str = ""
    theme: str = ""
    keys: bool = True


@router.get("/settings", **requires(READ_DESCRIPTION, listed=True))
def show(request: Request) -> Response:
    """Return the page with the settings of this browser."""
    cookies = request.cookies
    keys = cookies.get(KEYS_COOKIE) != "off"
    return _page(request, Preferences(cookies.get(CHOSEN_COOKIE, ""), cookies.get(THEME_COOKIE, ""), keys))


@router.post("/settings", **requires(READ_DESCRIPTION, listed=True))
async def save(request: Request) -> Response:
    """Keep the settings in cookies of this browser."""
    fields = await form_fields(request, "zone", "theme", "keys")
    asked = Preferences(fields["zone"], fields["theme"] if fields["theme"] in THEMES else "", fields["keys"] == "on")
    try:
        zone = read_zone(asked.zone).key if asked.zone else ""
    except ValueError as error:
        return _page(request, asked, str(error), 422)
    answer = RedirectResponse("/settings?done=settings-saved", 303)
    kept = {CHOSEN_COOKIE: zone, THEME_COOKIE: asked.theme, KEYS_COOKIE: "" if asked.keys else "off"}
    for name, value in kept.items():
        if value:
            answer.set_cookie(name, value, max_age=YEAR, path="/", samesite="lax")
        else:
            answer.delete_cookie(name, path="/", samesite="lax")
    return answer


def _page(request: Request, asked: Preferences, wrong: str = "", code: int = 200) -> Response:
    zones = sorted(name for name in available_timezones() if "/" in name)
    return page(
        request,
        "settings.html",
        title="Settings",
        nav="Settings",
        code=code,
        asked=asked,
        wrong=wrong,
        zones=zones,
        themes=WORDS,
    )
