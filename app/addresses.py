"""Addresses of PostgreSQL, read so strictly that no part of a password is taken for another part of the address.

Messages of libpq repeat hosts, ports and databases, and reach logs and people: none of these may hold a password.
"""

import re

import psycopg
from psycopg import conninfo

_URI = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_HOSTS = re.compile(r"(?:/.*|[A-Za-z0-9._:,%-]*|@[A-Za-z0-9._/-]*)")
_PORTS = re.compile(r"[0-9,]*")
_END_OF_USER = re.compile("[@/]")
_NUMBERS = ("connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")


def read_address(address: str) -> dict[str, str]:
    """Return the parameters that the address states. Raises ValueError, which repeats nothing of it."""
    address = address.strip()
    try:
        given = {name: str(value) for name, value in conninfo.conninfo_to_dict(address).items()}
    except (psycopg.Error, UnicodeError):
        raise ValueError("is no PostgreSQL address such as postgresql://user@host/database") from None
    scheme = _URI.match(address)
    if scheme is not None and _splits_password(address[scheme.end() :]):
        raise ValueError("holds a character that ends the password: in it, write @ as %40 and / as %2F")
    if not all(given.get(name, "0").strip().removeprefix("-").isdecimal() for name in _NUMBERS):
        raise ValueError("states a number that is none")
    if "://" in given.get("dbname", ""):
        raise ValueError("states an address in the place of a database")
    hosts = (given.get("host", ""), given.get("hostaddr", ""))
    if not all(_HOSTS.fullmatch(host) for host in hosts) or not _PORTS.fullmatch(given.get("port", "")):
        raise ValueError("states a host or port that cannot be one; in a password write : as %3A and @ as %40")
    return given


def _splits_password(rest: str) -> bool:
    """Return whether an @ stands where no address has one: libpq ends user and password at the first @ or /.

    An @ behind a later ? is part of a parameter; what a ? in a password leaves behind it is no parameter.
    """
    found = _END_OF_USER.search(rest)
    return found is not None and "@" in rest[found.end() :].partition("?")[0]
