"""Notifications, in steps and in compensations: their consistency, and the channels that they name."""

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from domain.language.parsed import ChannelUse, Parsed, Spot
from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import all_steps
from domain.language.spelling.compensations import compensation_of
from domain.language.types.steps.notification import CHANNELS
from domain.refusal import Problem

# By field: the only channel that uses it.
_OF_ONE = {"recipients": "email", "subject": "email", "url": "webhook"}


def check_notification(part: Mapping, problems: Problems) -> None:
    """Note problems of the channels, and of channel-specific fields, in a canonical step or compensation."""
    if text_of(part.entries.get("type")) != "notification":
        return
    channels = _check_channels(part, problems)
    for field, channel in _OF_ONE.items():
        if field in part.entries and channels and channel not in channels:
            message = f"`{field}` is for the channel `{channel}`, it is ignored"
            problems.add("unused_field", message, part.keys.get(field, part), severity="warning")
    recipients = part.entries.get("recipients")
    if "email" in channels and (recipients is None or (isinstance(recipients, Sequence) and not recipients.items)):
        problems.add("missing_field", "an email needs `recipients`", recipients or part, below=_below(recipients))
    for node in recipients.items if isinstance(recipients, Sequence) and "email" in channels else ():
        _check_recipient(node, problems)
    url = part.entries.get("url")
    if url is not None and "webhook" in channels and not _may_be_address(text_of(url) or "http://_"):
        message = "`url`: an address starts with http:// or https:// and names a host"
        problems.add("invalid_url", message, url)


def channels_in(root: Mapping) -> Iterator[ChannelUse]:
    """Return every known channel that a canonical tree names."""
    for step in all_steps(root):
        for part in (step, compensation_of(step)):
            if part is not None and text_of(part.entries.get("type")) == "notification":
                for node in _channels(part):
                    name = text_of(node)
                    if name in CHANNELS:
                        yield ChannelUse(name, Spot(node.path, node.line, node.column))


def channel_problems(parsed: Parsed, configured: Collection[str]) -> list[Problem]:
    """Return a warning for each named channel that nobody has configured."""
    hint = "a step that notifies through it fails until the operator has set it up"
    return [
        Problem(
            "channel_not_configured",
            f"the channel `{use.name}` is not configured",
            use.at.path,
            use.at.line,
            use.at.column,
            hint,
            "warning",
        )
        for use in parsed.channels
        if use.name not in configured
    ]


def _channels(part: Mapping) -> list[Node]:
    named = part.entries.get("channel")
    return named.items if isinstance(named, Sequence) else []


def _check_channels(part: Mapping, problems: Problems) -> set[str]:
    seen: set[str] = set()
    named = part.entries.get("channel")
    if isinstance(named, Sequence) and not named.items:
        problems.add("empty", "`channel` needs at least one entry", named)
    for node in _channels(part):
        name = text_of(node)
        if name is not None:
            if name in seen:
                problems.add("duplicate_channel", f"`{name[:60]}` is named twice", node)
            seen.add(name)
    return seen


def _below(recipients: Node | None) -> str:
    return "" if recipients is not None else ".recipients"


def _check_recipient(node: Node, problems: Problems) -> None:
    written = text_of(node)
    if written and "{{" not in written and not _is_recipient(written):
        problems.add("invalid_recipient", f"`{written[:60]}` is not an email address", node, hint="as ann@example.org")


def _is_recipient(written: str) -> bool:
    name, _, host = written.rpartition("@")
    return bool(name and host) and written.isprintable() and not any(mark in written for mark in " ,;<>")


def _may_be_address(written: str) -> bool:
    """Return whether a text is an address, or may become one when its templates are rendered."""
    if "{{" in written:
        return True
    try:
        parts = urlsplit(written)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in written
    except ValueError:
        return False
