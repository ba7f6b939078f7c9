"""The addresses that outgoing calls may go to: the operator's lists, and what is denied by default."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from domain.agents.address_entries import Address, AddressEntry, Network, read_entries
from domain.agents.literals import read_literal

# Link-local networks, and the places where clouds serve the credentials of a machine to every program on it.
DENIED_BY_DEFAULT = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::254/128",  # Google
        "fd00:42::42/128",  # Scaleway
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
    )
)
DENIED_NAMES = read_entries(
    "metadata, metadata.google.internal, metadata.goog, *.metadata.goog, instance-data, instance-data.ec2.internal"
)
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SELF: dict[Address, Address] = {IPv4Address(0): IPv4Address("127.0.0.1"), IPv6Address(0): IPv6Address(1)}


@dataclass(frozen=True)
class AddressRules:
    """allow: where it is given, calls go nowhere else. deny: precedes `allow`.

    An entry of `allow` that lies inside a network which is denied by default allows it.
    """

    allow: tuple[AddressEntry, ...] | None = None
    deny: tuple[AddressEntry, ...] = ()

    def refuses(self, host: str, port: int, addresses: Iterable[Address] = ()) -> bool:
        """Return whether no call may go to `host`, which stands for each of `addresses`.

        Without addresses: whether it is certain before its name is resolved.
        """
        literal = read_literal(host)
        known = list(addresses) if literal is None else [literal]
        if known:
            return all(self.refuses_address(host, port, address) for address in known)
        name = host.lower().rstrip(".")
        if self._denied_name(name, port):
            return True
        if self.allow is None:
            return False
        return not any(entry.names(name, port) or entry.network is not None for entry in self.allow)

    def names(self, host: str, port: int) -> bool:
        """Return whether `host` is allowed by its name alone, whatever it resolves to."""
        name = host.lower().rstrip(".")
        return self.allow is None or any(entry.names(name, port) for entry in self.allow)

    def refuses_address(self, host: str, port: int, address: Address) -> bool:
        """Return whether no connection may be made to `address` for a call to `host`."""
        name = host.lower().rstrip(".")
        forms = list(forms_of(address))
        if self._denied_name(name, port) or any(entry.holds(form, port) for entry in self.deny for form in forms):
            return True
        allow = self.allow or ()
        for form in forms:
            networks = [network for network in DENIED_BY_DEFAULT if form in network]
            if networks and not any(entry.holds(form, port) and _inside(entry, networks) for entry in allow):
                return True
        if self.allow is None:
            return False
        return not any(entry.names(name, port) or entry.holds(forms[0], port) for entry in allow)

    def _denied_name(self, name: str, port: int) -> bool:
        if any(entry.names(name, port) for entry in self.deny):
            return True
        by_default = any(entry.names(name, port) for entry in DENIED_NAMES)
        return by_default and not any(entry.name == name and entry.names(name, port) for entry in self.allow or ())


OPEN_ADDRESSES = AddressRules()


def forms_of(address: Address) -> Iterator[Address]:
    """Yield `address` as it is reached, then the addresses that packets to it may also reach.

    IPv4 inside IPv6 (mapped, compatible, 6to4, NAT64) is an address of its own; the unspecified address is this
    machine.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    address = _SELF.get(address, address)
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 0xFFFF):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _inside(entry: AddressEntry, networks: Iterable[Network]) -> bool:
    inner = entry.network
    return inner is not None and any(inner[0] in each and inner[-1] in each for each in networks)
