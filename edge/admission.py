"""The check of every request at the door: the host that it states, and the page that sent it."""

from starlette.types import Scope

from domain.refusal import Problem, Refusal
from edge.hosts import Authority, Hosts, parse_authority, parse_origin
from edge.refusals import BadRequest, ForeignOrigin, HostNotAllowed

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# Browsers state one of these; a caller that is no browser states none.
_OWN_SITES = frozenset((b"same-origin", b"none"))


def refusal_of(scope: Scope, hosts: Hosts) -> Refusal | None:
    """Return why the request is refused at the door; None: it is admitted.

    A page of another site reaches a local door through the browser of its visitor: under a name of its own (DNS
    rebinding), which the host shows, or from elsewhere, which the browser shows in Origin, Sec-Fetch-Site or Referer.
    """
    given: bytes | None = None
    origins: list[bytes] = []
    sites: list[bytes] = []
    referer = b""
    for name, value in scope["headers"]:
        if name == b"host":
            if given is not None:
                return _malformed_host("is stated once")
            given = value
        elif name == b"origin":
            origins.append(value)
        elif name == b"sec-fetch-site":
            sites.append(value)
        elif name == b"referer":
            referer = value
    if given is None:
        return _malformed_host("is missing")
    stated = parse_authority(given.decode("latin-1"))
    if stated is None:
        return _malformed_host("names a host, and perhaps a port")
    if not hosts.admit(stated):
        return HostNotAllowed(
            "this host is not served here; an operator can name it in PROCESSION_ALLOWED_HOSTS or PROCESSION_PUBLIC_URL"
        )
    if (origins or sites or referer) and scope["method"] not in SAFE:
        return _foreign(hosts, stated, origins or ([_origin_of(referer)] if referer and not sites else []), sites)
    return None


def refusal_of_page(scope: Scope, hosts: Hosts) -> ForeignOrigin | None:
    """Return why a page of another site may not have the request at all; None: it comes from no such page.

    For requests that stay open: the browser keeps their answers from the page, and the page could occupy them all.
    """
    found: dict[bytes, list[bytes]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
    for name, value in scope["headers"]:
        if name in found:
            found[name].append(value)
    stated = parse_authority(b"".join(found[b"host"]).decode("latin-1"))
    return _foreign(hosts, stated, found[b"origin"], found[b"sec-fetch-site"])


def _foreign(hosts: Hosts, stated: Authority | None, origins: list[bytes], sites: list[bytes]) -> ForeignOrigin | None:
    for given in origins:
        origin = parse_origin(given.decode("latin-1"))
        if origin is None or not hosts.own(origin, stated):
            return ForeignOrigin("pages of another origin may not do this; see PROCESSION_PUBLIC_URL behind a proxy")
    if any(site not in _OWN_SITES for site in sites):
        return ForeignOrigin("pages of another site may not do this")
    return None


def _origin_of(referer: bytes) -> bytes:
    return b"/".join(referer.split(b"/", 3)[:3])


def _malformed_host(rule: str) -> BadRequest:
    message = f"Host {rule}"
    return BadRequest(message, [Problem("invalid_header", message, "Host")], code="invalid_header")
