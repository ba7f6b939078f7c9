"""The address that the API listens on, taken before anything else starts."""

import errno
import ipaddress
import socket

from app.settings import BadSetting, Settings

PORTS_TRIED = 100


class AddressUnavailable(Exception):
    """No socket can listen on the address; the message gives the reason. taken: another program listens there."""

    def __init__(self, message: str, *, taken: bool = False) -> None:
        super().__init__(message)
        self.taken = taken


def refuse_open_door(settings: Settings, *, keyed: bool = False) -> None:
    """Raise BadSetting if other machines could reach the server without a key. keyed: a key was ever made."""
    if settings.api_key is None and not keyed and not _is_loopback(settings.host):
        raise BadSetting(
            f"--host {settings.host} can be reached from other machines: make a key with `procession keys create`, "
            "or set PROCESSION_API_KEY, which callers must then show, or keep to 127.0.0.1"
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 takes any free one. Raises AddressUnavailable."""
    try:
        *protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AddressUnavailable(f"{host} is no address of this machine: {error.strerror or error}") from None
    bound = socket.socket(*protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Two sockets may be bound to one address, but only one can listen.
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise _unavailable(error, host, port) from None
    return bound


def listen_on_next_free(host: str, port: int) -> socket.socket:
    """Return a socket as `listen` does; if `port` is taken, try the ports after it."""
    for candidate in range(port, min(port + PORTS_TRIED, 65_536)):
        try:
            return listen(host, candidate)
        except AddressUnavailable as error:
            if not error.taken:
                raise
    return listen(host, 0)


def url_of(bound: socket.socket) -> str:
    """Return the address of a bound socket for a browser on this machine."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _unavailable(error: OSError, host: str, port: int) -> AddressUnavailable:
    if error.errno == errno.EADDRINUSE:
        message = f"port {port} on {host} is taken by another program; choose another with --port"
        return AddressUnavailable(message, taken=True)
    return AddressUnavailable(f"cannot listen on {host} port {port}: {error.strerror}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
