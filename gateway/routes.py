"""The route of an outgoing call: directly, or through the proxy of the environment; checked on both."""

from functools import cache
from ssl import SSLContext
from urllib.request import getproxies_environment, proxy_bypass

import httpcore2
import httpx2

from domain.agents.addresses import AddressRules
from gateway.connecting import CheckedBackend, check_destination

THIS_MACHINE = frozenset(("localhost", "127.0.0.1", "::1"))
_PORTS = {"http": 80, "https": 443}


@cache
def _authorities() -> SSLContext:
    """Return the trusted certificates; reading them takes tens of milliseconds."""
    return httpx2.create_ssl_context()


class _Direct(httpx2.AsyncHTTPTransport):
    """Connects to allowed addresses only."""

    def __init__(self, rules: AddressRules, limits: httpx2.Limits) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_authorities(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=CheckedBackend(rules),
        )


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends each request on its route. The environment's proxies are used, but never for this machine itself."""

    def __init__(self, rules: AddressRules, limits: httpx2.Limits) -> None:
        self._rules = rules
        self._limits = limits
        self._proxies = getproxies_environment()
        self._direct = _Direct(rules, limits)
        self._proxied: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises AddressDenied, or an error of httpx2."""
        host, scheme = request.url.host, request.url.scheme
        proxy = self._proxies.get(scheme) or self._proxies.get("all") if self._proxies else None
        if not proxy or host in THIS_MACHINE or proxy_bypass(host):
            return await self._direct.handle_async_request(request)
        await check_destination(self._rules, host, request.url.port or _PORTS.get(scheme, 0))
        return await self._through(proxy).handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in (self._direct, *self._proxied.values()):
            await transport.aclose()

    def _through(self, proxy: str) -> httpx2.AsyncHTTPTransport:
        """Return the transport through a proxy, which the operator chose: its own address is not checked."""
        transport = self._proxied.get(proxy)
        if transport is None:
            address = proxy if "://" in proxy else f"http://{proxy}"
            transport = httpx2.AsyncHTTPTransport(verify=_authorities(), limits=self._limits, proxy=address)
            self._proxied[proxy] = transport
        return transport
