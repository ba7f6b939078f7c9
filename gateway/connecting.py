"""Connections of outgoing calls. The rules are applied to the very address of each connection, after its name is
resolved: a name that stands for another address a moment later changes nothing.
"""

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore2

from domain.agents.address_entries import Address
from domain.agents.addresses import AddressRules
from domain.agents.literals import read_literal
from gateway.lookups import LOOKUPS

LEAST_SECONDS = 1.0


class AddressDenied(Exception):
    """The operator's rules, or the default ones, deny every address of a destination; the message names it."""


async def allowed_addresses(rules: AddressRules, host: str, port: int) -> list[str]:
    """Return the addresses of `host` to which the rules allow a connection. Raises AddressDenied or OSError."""
    if rules.refuses(host, port):
        raise _denied(host)
    found = await _resolved(host, port)
    allowed = [address for address in found if not rules.refuses_address(host, port, _plain(address))]
    if not allowed:
        raise _denied(host)
    return allowed


async def check_destination(rules: AddressRules, host: str, port: int) -> None:
    """Raise AddressDenied if the rules deny `host`, by name or by an address that this machine resolves it to.

    For calls through a proxy, which resolves names itself and may be the only one that can.
    """
    if rules.refuses(host, port):
        raise _denied(host)
    try:
        found = await _resolved(host, port)
    except (OSError, UnicodeError):
        refused = not rules.names(host, port)
    else:
        refused = any(rules.refuses_address(host, port, _plain(address)) for address in found)
    if refused:
        raise _denied(host)


async def connected_socket(rules: AddressRules, host: str, port: int) -> socket.socket:
    """Return a socket connected to `host`. Raises AddressDenied or OSError."""
    loop = asyncio.get_running_loop()
    addresses = await allowed_addresses(rules, host, port)
    for address in addresses:
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        connecting = socket.socket(kind, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            await loop.sock_connect(connecting, (address, port))
            return connecting
        except OSError:
            connecting.close()
            if address == addresses[-1]:
                raise
        except BaseException:
            connecting.close()
            raise
    raise OSError(f"{host} has no address")


class CheckedBackend(httpcore2.AnyIOBackend):
    """Connects to allowed addresses only."""

    def __init__(self, rules: AddressRules) -> None:
        self._rules = rules

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        now = asyncio.get_running_loop().time
        until = None if timeout is None else now() + timeout
        try:
            async with asyncio.timeout(timeout):
                addresses = await allowed_addresses(self._rules, host, port)
        except TimeoutError:
            raise httpcore2.ConnectTimeout("its name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(str(error)) from error
        for left in range(len(addresses), 0, -1):
            # Each address gets an equal part of the time, so that one that never answers leaves time for the others.
            part = None if until is None else max((until - now()) / left, LEAST_SECONDS)
            try:
                return await super().connect_tcp(addresses[-left], port, part, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")


async def _resolved(host: str, port: int) -> list[str]:
    literal = read_literal(host)
    if literal is not None:
        return [host.strip("[]") if "%" in host else str(literal)]
    return await LOOKUPS.resolve(host, port)


def _plain(address: str) -> Address:
    return ip_address(address.partition("%")[0])


def _denied(host: str) -> AddressDenied:
    return AddressDenied(f"calls to {host[:260]} are denied where the worker runs")
