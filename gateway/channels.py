"""The channels of notifications, as the operator configured them."""

from dataclasses import dataclass
from email.headerregistry import Address
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

WEBHOOK, SLACK, EMAIL = "webhook", "slack", "email"


@dataclass(frozen=True, repr=False)
class MailServer:
    """The server that accepts mail. tls: from the first byte; without it, STARTTLS if the server offers it."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"

    @property
    def needs_tls(self) -> bool:
        """Whether encryption is required: a password would leave this machine."""
        return self.password is not None and not is_loopback(self.host)


@dataclass(frozen=True, repr=False)
class Channels:
    """The configured channels; all of it is secret and none of it shows when printed.

    webhook_secret: text or ``whsec_…``, signs webhooks and, if it is set, posts to Slack. webhook_url: the address of
    webhooks whose step names none. mail and sender are given both or neither.
    """

    webhook_secret: str | None = None
    webhook_url: str | None = None
    slack_url: str | None = None
    mail: MailServer | None = None
    sender: Address | None = None

    def __repr__(self) -> str:
        return f"Channels({', '.join(sorted(self.configured))})"

    @property
    def configured(self) -> frozenset[str]:
        """The names of the channels that can be used."""
        known = {
            WEBHOOK: self.webhook_secret is not None,
            SLACK: self.slack_url is not None,
            EMAIL: self.mail is not None and self.sender is not None,
        }
        return frozenset(name for name, usable in known.items() if usable)


def is_web_address(url: str) -> bool:
    """Return whether a request can be sent to `url`: http or https, with a host."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and url.isascii() and url.isprintable() and " " not in url


def read_mail_server(url: str) -> MailServer:
    """Return the server at ``smtp://user:password@host:587`` or ``smtps://…``; user and password may be left out.

    Raises ValueError, which does not repeat the address.
    """
    parts, port = _split(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or port == 0:
        raise ValueError("it is not like smtp://user:password@host:587 or smtps://user:password@host")
    if parts.query or parts.fragment:
        raise ValueError("in user and password the characters / ? # @ : are written as in %2F, and nothing follows")
    if (parts.username is None) != (parts.password is None) or parts.username == "":
        raise ValueError("it has a user and a password, or neither")
    tls = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=port or (465 if tls else 587),
        tls=tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The library's message may repeat a part of the password.
        raise ValueError("it is not an address; in user and password / ? # @ : are written as in %2F") from None
    if not url.isprintable() or " " in url:
        raise ValueError("it holds a blank or a character that cannot be printed")
    return parts, port


def is_loopback(host: str) -> bool:
    """Return whether traffic to `host` stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
