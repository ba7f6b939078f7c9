"""The hosts under which a door is reached, and the origins whose pages may send commands to it."""

import functools
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_STANDARD_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Authority:
    """A host in lower case, IPv6 addresses in brackets, and its port; None: the scheme's."""

    host: str
    port: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine answers to the host: a loopback address, localhost, or a name below localhost."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class Origin:
    """The scheme and authority of a page."""

    scheme: str
    authority: Authority

    @property
    def port(self) -> int:
        """The port, also where the origin leaves it out."""
        return self.authority.port or _STANDARD_PORTS[self.scheme]

    def is_at(self, authority: Authority) -> bool:
        """Return whether `authority`, as a Host header states it, is the origin's. A proxy may end TLS on the way."""
        return self.authority.host == authority.host and authority.port in (self.port, self.authority.port)


@functools.lru_cache(1_000)
def parse_authority(text: str) -> Authority | None:
    """Return the authority that `text` states, as in a Host header; None for a text that states none."""
    found = _AUTHORITY.fullmatch(text)
    if found is None or (found[2] and not 0 < int(found[2]) < 65_536):
        return None
    host = found[1].lower().removesuffix(".")
    if not host or ".." in host:
        return None
    return Authority(host, int(found[2]) if found[2] else None)


def parse_origin(text: str) -> Origin | None:
    """Return the origin that `text` states, as in an Origin header; None for `null` and everything else."""
    found = _ORIGIN.fullmatch(text)
    authority = parse_authority(found[2]) if found is not None else None
    return None if found is None or authority is None else Origin(found[1], authority)


@dataclass(frozen=True)
class Hosts:
    """names: hosts that a request may state beside local ones. every: it may state any host.

    origins: origins whose pages may send commands, beside pages of the host that the request states: those of a proxy
    that states another host.
    """

    names: frozenset[str] = frozenset()
    every: bool = False
    origins: frozenset[Origin] = frozenset()

    def admit(self, authority: Authority) -> bool:
        """Return whether a request may state this host, on any port."""
        return self.every or authority.is_local or authority.host in self.names

    def own(self, origin: Origin, stated: Authority | None) -> bool:
        """Return whether pages of `origin` are the door's own. stated: the host that the request states."""
        return origin in self.origins or (stated is not None and origin.is_at(stated))


LOCAL = Hosts()
"""Names of this machine alone."""


def hosts_of(public_url: str | None, allowed: Iterable[str] | None, *, keyed: bool) -> Hosts:
    """Return the hosts of a door. allowed: hosts that the operator names; keyed: callers must show a key.

    Default of `allowed`: without keys none; with keys every host, because a page on the web has no key.
    """
    origin = None if public_url is None else parse_origin("/".join(public_url.split("/")[:3]).lower())
    names = frozenset(allowed or ()) | (frozenset() if origin is None else {origin.authority.host})
    origins = frozenset() if origin is None else frozenset({origin})
    return Hosts(names, every=keyed and allowed is None, origins=origins)
