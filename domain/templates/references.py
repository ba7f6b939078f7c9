"""The ids of templates: ``bundled:NAME`` of those in the package, ``org:NAME`` of those of the organisation."""

import re

import msgspec

BUNDLED, ORG = "bundled", "org"
SOURCES = (BUNDLED, ORG)
TEMPLATE_NAME = r"[a-z0-9][a-z0-9._-]{0,63}"
TEMPLATE_ID = rf"({BUNDLED}|{ORG}):({TEMPLATE_NAME})"
_ID = re.compile(TEMPLATE_ID, re.ASCII)
_OTHER = re.compile(r"[^a-z0-9]+")


class TemplateReference(msgspec.Struct, frozen=True):
    """The id of a template in its parts. source: ``bundled`` or ``org``."""

    source: str
    name: str

    @property
    def template_id(self) -> str:
        """The whole id."""
        return f"{self.source}:{self.name}"


def read_reference(text: str) -> TemplateReference | None:
    """Return the reference that a text states; None for a text that cannot be one."""
    found = _ID.fullmatch(text)
    return None if found is None else TemplateReference(found[1], found[2])


def name_from(title: str) -> str:
    """Return the name that a title suggests: ``Claim intake`` gives ``claim-intake``; empty if none is left."""
    return _OTHER.sub("-", title.lower()).strip("-")[:64].rstrip("-")
