"""Settings of the channels that notifications go through."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from gateway.channels import Channels, is_web_address, read_mail_server
from gateway.mailboxes import read_mailbox
from gateway.standard_webhooks import key_of


def _stripped(value: SecretStr) -> SecretStr:
    # Files that become variables often end in a line feed, which is never part of the secret.
    return SecretStr(value.get_secret_value().strip())


def _web_address(value: SecretStr) -> SecretStr:
    if not is_web_address(value.get_secret_value()):
        raise ValueError("it is not an address that starts with http:// or https:// and names a host")
    return value


def _signing_secret(value: SecretStr) -> SecretStr:
    key_of(value.get_secret_value())
    return value


def _mail_server(value: SecretStr) -> SecretStr:
    read_mail_server(value.get_secret_value())
    return value


def _mailbox(value: str) -> str:
    read_mailbox(value)
    return value


WebAddress = Annotated[SecretStr, AfterValidator(_stripped), AfterValidator(_web_address)]
SigningSecret = Annotated[SecretStr, AfterValidator(_stripped), AfterValidator(_signing_secret)]
MailServerAddress = Annotated[SecretStr, AfterValidator(_stripped), AfterValidator(_mail_server)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class ChannelSettings(BaseSettings):
    """Addresses and secrets of channels; addresses are secret as well, since who knows one can often use it."""

    webhook_url: WebAddress | None = Field(None, validation_alias="PROCESSION_WEBHOOK_URL")
    webhook_secret: SigningSecret | None = Field(None, validation_alias="PROCESSION_WEBHOOK_SECRET")
    slack_url: WebAddress | None = Field(None, validation_alias="PROCESSION_SLACK_URL")
    smtp_url: MailServerAddress | None = Field(None, validation_alias="PROCESSION_SMTP_URL")
    email_from: Mailbox | None = Field(None, validation_alias="PROCESSION_EMAIL_FROM")

    @model_validator(mode="after")
    def _whole(self) -> "ChannelSettings":
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("PROCESSION_WEBHOOK_URL needs PROCESSION_WEBHOOK_SECRET, which signs what goes there")
        if self.smtp_url is not None and self.email_from is None:
            raise ValueError("PROCESSION_SMTP_URL needs PROCESSION_EMAIL_FROM, the sender of mail")
        if self.email_from is not None and self.smtp_url is None:
            raise ValueError("PROCESSION_EMAIL_FROM needs PROCESSION_SMTP_URL, the server that takes the mail")
        return self

    @property
    def channels(self) -> Channels:
        """The channels that are configured."""
        smtp = _value(self.smtp_url)
        return Channels(
            webhook_secret=_value(self.webhook_secret),
            webhook_url=_value(self.webhook_url),
            slack_url=_value(self.slack_url),
            mail=None if smtp is None else read_mail_server(smtp),
            sender=None if self.email_from is None else read_mailbox(self.email_from),
        )


def _value(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
