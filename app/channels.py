"""Settings of the channels that notifications go through."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.setting import SecretSetting, optional

if TYPE_CHECKING:
    from gateway.channels import Channels

# The gateway is imported where a channel is configured: most commands, and many installations, need none.


def _web_address(value: str) -> SecretSetting:
    from gateway.channels import is_web_address

    if not is_web_address(value.strip()):
        raise ValueError("it is not an address that starts with http:// or https:// and names a host")
    return SecretSetting(value.strip())


def _signing_secret(value: str) -> SecretSetting:
    from gateway.standard_webhooks import key_of

    key_of(value.strip())
    # Files that become variables often end in a line feed, which is never part of the secret.
    return SecretSetting(value.strip())


def _mail_server(value: str) -> SecretSetting:
    from gateway.channels import read_mail_server

    read_mail_server(value.strip())
    return SecretSetting(value.strip())


def _mailbox(value: str) -> str:
    from gateway.mailboxes import read_mailbox

    read_mailbox(value)
    return value


@dataclass(frozen=True, kw_only=True)
class ChannelSettings:
    """Addresses and secrets of channels; addresses are secret as well, because an address alone often admits its user.

    Raises ValueError if an address lacks its secret or its sender, or a sender its server.
    """

    webhook_url: SecretSetting | None = optional("PROCESSION_WEBHOOK_URL", _web_address)
    webhook_secret: SecretSetting | None = optional("PROCESSION_WEBHOOK_SECRET", _signing_secret)
    slack_url: SecretSetting | None = optional("PROCESSION_SLACK_URL", _web_address)
    smtp_url: SecretSetting | None = optional("PROCESSION_SMTP_URL", _mail_server)
    email_from: str | None = optional("PROCESSION_EMAIL_FROM", _mailbox)

    def __post_init__(self) -> None:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("PROCESSION_WEBHOOK_URL needs PROCESSION_WEBHOOK_SECRET, which signs what goes there")
        if self.smtp_url is not None and self.email_from is None:
            raise ValueError("PROCESSION_SMTP_URL needs PROCESSION_EMAIL_FROM, the sender of mail")
        if self.email_from is not None and self.smtp_url is None:
            raise ValueError("PROCESSION_EMAIL_FROM needs PROCESSION_SMTP_URL, the server that takes the mail")

    @property
    def channels(self) -> "Channels":
        """The channels that are configured."""
        from gateway.channels import Channels, read_mail_server
        from gateway.mailboxes import read_mailbox

        smtp = _value(self.smtp_url)
        return Channels(
            webhook_secret=_value(self.webhook_secret),
            webhook_url=_value(self.webhook_url),
            slack_url=_value(self.slack_url),
            mail=None if smtp is None else read_mail_server(smtp),
            sender=None if self.email_from is None else read_mailbox(self.email_from),
        )


def _value(secret: SecretSetting | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
