"""Entries of an inbox without sensitive values: a summary may end inside a value, so it is made of the masked whole."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from domain.inbox.summary import summarise
from edge.sensitive import SensitiveViews, masked
from queries.inbox.contents import EntryDetail
from queries.inbox.views import InboxEntry, InboxPage
from queries.sensitive import Sensitivity

ReadContents = Callable[[Iterable[str]], dict[str, Any]]
"""Returns the whole contents of entries by `event_id`."""


def masked_inbox(masking: SensitiveViews, page: InboxPage, read: ReadContents) -> InboxPage:
    """Return a page of an inbox as the principal of `masking` may see it."""
    known = masking.sensitivities(each.execution_id for each in page.items)
    if not known:
        return page
    contents = read([each.event_id for each in page.items if each.execution_id in known])
    items = [
        msgspec.structs.replace(each, summary=summarise(_masked(known[each.execution_id], each, contents)))
        if each.execution_id in known
        else each
        for each in page.items
    ]
    return msgspec.structs.replace(page, items=items)


def masked_entry(masking: SensitiveViews, found: EntryDetail) -> EntryDetail:
    """Return one entry, and its content, as the principal of `masking` may see them."""
    entry = found.entry
    known = masking.sensitivities((entry.execution_id,))
    if entry.execution_id is None or entry.execution_id not in known:
        return found
    content = _masked(known[entry.execution_id], entry, {entry.event_id: found.content})
    entry = msgspec.structs.replace(entry, summary=summarise(content))
    return msgspec.structs.replace(found, entry=entry, content=content)


def _masked(sensitivity: Sensitivity, entry: InboxEntry, contents: dict[str, Any]) -> Any:
    paths = (
        sensitivity.fields.outputs.get((entry.step or "").rpartition("/")[2], ())
        if entry.type == "StepCompleted"
        else ()
    )
    return masked(sensitivity, contents.get(entry.event_id), paths)
