"""Addresses written as numbers, in every form that connecting to them accepts."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_NUMBER = re.compile(r"0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*)")
_LONGEST = 260


def read_literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `host` itself is: ``10.0.0.1``, ``[::1]``, ``fe80::1%eth0``, and as ``inet_aton`` reads
    it, ``0xa9fea9fe``, ``2852039166``, ``0251.254.43518``; None for a name.
    """
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _by_parts(host.removesuffix(".")) if len(host) < _LONGEST else None


def _by_parts(host: str) -> IPv4Address | None:
    """Return the address in one to four numbers of any base; the last one fills all that is left."""
    parts = [_NUMBER.fullmatch(part) for part in host.split(".")]
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        if part is None:
            return None
        hexadecimal, octal, decimal = part.groups()
        numbers.append(int(hexadecimal, 16) if hexadecimal else int(decimal) if decimal else int(octal or "0", 8))
    *first, last = numbers
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return IPv4Address(last + sum(number << (24 - 8 * at) for at, number in enumerate(first)))
