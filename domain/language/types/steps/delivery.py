"""A notification of people outside, in a step and in a compensation: as written in a definition, and as planned."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from domain.language.expressions import TextTemplate, ValueTemplate, parse_template, parse_value
from domain.language.types.parts import Part, TemplateText
from domain.language.types.steps.planned import Planned

CHANNELS = ("webhook", "slack", "email")
MAX_RECIPIENTS = 100

ChannelName = Literal["webhook", "slack", "email"]
_CHANNEL = {"enum": [*CHANNELS]}
_CHANNEL_OR_MORE = {"anyOf": [_CHANNEL, {"type": "array", "items": _CHANNEL, "minItems": 1, "uniqueItems": True}]}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 65_536}
_TEXT_OR_MORE = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "maxItems": MAX_RECIPIENTS}]}


class Delivery(Part):
    """A notification. channel: one or more. message, subject and url: templates.

    recipients: one or more templates, for email.
    """

    also: ClassVar[dict[str, str]] = {"channels": "channel"}
    listed: ClassVar[tuple[str, ...]] = ("channel", "recipients")
    templates: ClassVar[tuple[str, ...]] = ("message", "subject", "url", "recipients")

    channel: Annotated[tuple[ChannelName, ...], Field(strict=False), WithJsonSchema(_CHANNEL_OR_MORE)]
    message: TemplateText
    subject: TemplateText | None = None
    url: TemplateText | None = None
    recipients: Annotated[
        tuple[TemplateText, ...], Field(strict=False, max_length=MAX_RECIPIENTS), WithJsonSchema(_TEXT_OR_MORE)
    ] = ()

    def plan(self, planned: Planned) -> "PlannedNotification":
        """Return the step for the engine, with everything parsed."""
        return PlannedNotification(
            **planned.common(),
            channels=self.channel,
            message=parse_template(self.message),
            subject=None if self.subject is None else parse_template(self.subject),
            url=None if self.url is None else parse_template(self.url),
            recipients=parse_value(list(self.recipients)),
        )


@dataclass(frozen=True, slots=True)
class PlannedNotification(Planned):
    """A notification for the engine; message, subject, url and recipients are rendered when the step is reached.

    recipients renders to a list, in which an entry that is nothing but a template may have become a list itself.
    """

    channels: tuple[str, ...]
    message: TextTemplate
    subject: TextTemplate | None
    url: TextTemplate | None
    recipients: ValueTemplate
