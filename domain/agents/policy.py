"""The operator's rules of what goes out: the secrets that may be referred to, and the addresses that may be called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from domain.agents.addresses import OPEN_ADDRESSES, AddressRules
from domain.agents.secret_names import NO_SECRETS, SecretNames, referring_texts
from domain.refusal import Malformed, Problem

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OutgoingPolicy:
    """Default: no secrets, and every address that is not denied by default."""

    secrets: SecretNames = NO_SECRETS
    addresses: AddressRules = OPEN_ADDRESSES

    def check_agent(self, name: str, config: Mapping[str, Any]) -> None:
        """Raise Malformed if the configuration of the agent `name` refers to a secret, or an address, not allowed."""
        problems = self.secrets.problems(referring_texts(config))
        for path in ("url", "cancel_url", "base_url"):
            url = config.get(path)
            if isinstance(url, str) and self.refuses_url(url):
                message = "calls to this address are denied where Procession runs"
                hint = "the operator's PROCESSION_OUTGOING_ALLOW and PROCESSION_OUTGOING_DENY decide"
                problems.append(Problem("address_denied", message, path, hint=hint))
        if problems:
            raise Malformed(f"the agent {name} cannot be registered: {problems[0].message}", problems)

    def refuses_url(self, url: str) -> bool:
        """Return whether it is certain, before a name is resolved, that no call may go to `url`."""
        host, port = destination(url)
        return self.addresses.refuses(host, port)


def destination(url: str) -> tuple[str, int]:
    """Return the host and the port of an address that can be called."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
