"""One entry of an operator's list of addresses: a network, a host name, or all names below a domain, each with a port
on request.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAME = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_WITH_PORT = re.compile(r"(?P<host>\[[^\[\]]+\]|[^\[\]:]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True)
class AddressEntry:
    """Matches by `network` or by `name`, and by `port` unless it is None."""

    network: Network | None = None
    name: str = ""
    port: int | None = None

    def names(self, host: str, port: int) -> bool:
        """Return whether the entry matches a destination by the name of its host, which is in lower case."""
        if not self.name or self.port not in (None, port):
            return False
        return self.name in ("*", host) or (self.name.startswith("*.") and host.endswith(self.name[1:]))

    def holds(self, address: Address, port: int) -> bool:
        """Return whether the entry matches a destination by its address."""
        return self.network is not None and self.port in (None, port) and address in self.network


def read_entry(text: str) -> AddressEntry:
    """Return the entry in ``10.0.0.0/8``, ``192.0.2.7:8080``, ``[fd00::/8]:443``, ``host:443``, ``*.example.com``.

    Raises ValueError.
    """
    network = _network(text)
    if network is not None:
        return AddressEntry(network)
    parts = _WITH_PORT.fullmatch(text)
    if parts is not None:
        port = None if parts["port"] is None else int(parts["port"])
        host = parts["host"].strip("[]")
        network = _network(host)
        name = host.lower().rstrip(".")
        if port is None or 0 < port < 65_536:
            if network is not None:
                return AddressEntry(network, port=port)
            if _NAME.fullmatch(name) and "[" not in text and not name.rpartition(".")[2].isdigit():
                return AddressEntry(name=name, port=port)
    raise ValueError(
        f"{text[:60]!r} is no address like 10.0.0.0/8, 192.0.2.7:8080, [fd00::1]:443, host.example or *.example"
    )


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def read_entries(text: str) -> tuple[AddressEntry, ...]:
    """Return the entries of a list, separated by commas or blanks. Raises ValueError."""
    return tuple(read_entry(each) for each in re.split(r"[,\s]+", text) if each)
