"""Icons of things, and the glyph, word and colour of every status, told apart by shape alone."""

from functools import lru_cache

import msgspec
from markupsafe import Markup

_LINE = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
_KO = 'class="ko" stroke-linecap="round" stroke-linejoin="round"'
_RING = '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" opacity=".28"/>'
_ARC = f'<path class="arc" d="M8 2a6 6 0 0 1 6 6" {_LINE} stroke-width="2"/>'
_OCTAGON = '<path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor"/>'

GLYPHS = {
    "completed": '<circle cx="8" cy="8" r="7" fill="currentColor"/>'
    f'<path {_KO} d="m4.9 8.3 2.1 2.1 4.2-4.7" stroke-width="1.7"/>',
    "failed": f'{_OCTAGON}<path {_KO} d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" stroke-width="1.7"/>',
    "timed_out": f'{_OCTAGON}<path {_KO} d="M8 4.4V8l2.4 1.7" stroke-width="1.6"/>',
    "running": _RING + _ARC,
    "accepted": f'{_RING}{_ARC}<circle cx="8" cy="8" r="2.2" fill="currentColor"/>',
    "scheduled": '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.8"/>'
    f'<path d="M8 4.6V8l2.3 1.5" {_LINE} stroke-width="1.6"/>',
    "waiting": '<circle cx="8" cy="8" r="7" fill="currentColor"/>'
    f'<path {_KO} d="M6.2 5.3v5.4M9.8 5.3v5.4" stroke-width="1.8"/>',
    "retrying": f'<path d="M13.6 6.2A6 6 0 1 0 14 8.6" {_LINE} stroke-width="1.9"/>'
    '<path d="M14.5 2.6v4.2h-4.2z" fill="currentColor"/>',
    "queued": f'<path d="M2.5 4h11M2.5 8h7.5M2.5 12h4.5" {_LINE} stroke-width="2"/>',
    "pending": '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" '
    'stroke-dasharray="2.2 2.5"/>',
    "skipped": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    f'<path d="m5.4 5.6 2.4 2.4-2.4 2.4m3-4.8L10.8 8l-2.4 2.4" {_LINE} stroke-width="1.5"/>',
    "cancelled": '<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/>'
    '<path d="m3.8 12.2 8.4-8.4" stroke="currentColor" stroke-width="1.6"/>',
    "compensating": f'<path d="M2.6 6.5h7.2a3.7 3.7 0 0 1 0 7.4H6" {_LINE} stroke-width="1.9"/>'
    '<path d="M6.4 2.2v8.4L1.4 6.4z" fill="currentColor"/>',
    "warning": '<path d="M8 1.4 15.2 14.3H.8z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>'
    f'<path {_KO} d="M8 6v3.6m0 2.1v.1" stroke-width="1.6"/>',
}

_STILL = {name: Markup(inner) for name, inner in GLYPHS.items()}  # noqa: S704 - the constants above
_SPINNING = {name: Markup(inner.replace('class="arc"', 'class="spin"')) for name, inner in GLYPHS.items()}  # noqa: S704


class ShownStatus(msgspec.Struct, frozen=True):
    """A status on a page. colour: a class of the stylesheet; glyph: a name in GLYPHS."""

    word: str
    colour: str
    glyph: str


STATUSES = {
    "queued": ShownStatus("Queued", "idle", "queued"),
    "running": ShownStatus("Running", "run", "running"),
    "started": ShownStatus("Running", "run", "running"),
    "compensating": ShownStatus("Undoing", "undo", "compensating"),
    "completed": ShownStatus("Completed", "ok", "completed"),
    "failed": ShownStatus("Failed", "bad", "failed"),
    "cancelled": ShownStatus("Cancelled", "idle", "cancelled"),
    "pending": ShownStatus("Not reached", "idle", "pending"),
    "scheduled": ShownStatus("Due", "run", "scheduled"),
    "accepted": ShownStatus("With the agent", "run", "accepted"),
    "waiting": ShownStatus("Waiting", "wait", "waiting"),
    "retrying": ShownStatus("Waiting to retry", "retry", "retrying"),
    "timed_out": ShownStatus("Timed out", "bad", "timed_out"),
    "skipped": ShownStatus("Skipped", "idle", "skipped"),
    "overdue": ShownStatus("Overdue", "wait", "warning"),
    "open": ShownStatus("Waiting", "wait", "waiting"),
    "granted": ShownStatus("Approved", "ok", "completed"),
    "refused": ShownStatus("Rejected", "bad", "failed"),
    "changes_requested": ShownStatus("Changes requested", "retry", "retrying"),
    "expired": ShownStatus("Expired", "bad", "timed_out"),
    "revoked": ShownStatus("Revoked", "idle", "cancelled"),
    "draft": ShownStatus("Draft", "idle", "pending"),
    "published": ShownStatus("Published", "ok", "completed"),
    "archived": ShownStatus("Archived", "idle", "cancelled"),
    "retired": ShownStatus("Retired", "idle", "cancelled"),
    "active": ShownStatus("Active", "ok", "completed"),
    "paused": ShownStatus("Paused", "wait", "waiting"),
    "ended": ShownStatus("Ended", "idle", "skipped"),
    "removed": ShownStatus("Removed", "idle", "cancelled"),
    "up_to_date": ShownStatus("Up to date", "ok", "completed"),
    "catching_up": ShownStatus("Catching up", "wait", "retrying"),
    "rebuilding": ShownStatus("Rebuilding", "run", "running"),
    "unattended": ShownStatus("Nobody runs it", "idle", "pending"),
    "stopped": ShownStatus("Stopped", "bad", "failed"),
    "frozen": ShownStatus("Ready to run", "wait", "waiting"),
    "requested": ShownStatus("Requested", "idle", "queued"),
    "done": ShownStatus("Done", "ok", "completed"),
    "some_refused": ShownStatus("Done in part", "wait", "warning"),
    "all_refused": ShownStatus("Refused", "bad", "failed"),
    "withdrawn": ShownStatus("Withdrawn", "idle", "cancelled"),
    "lost": ShownStatus("Lost", "bad", "timed_out"),
    "template_ok": ShownStatus("Ready to use", "ok", "completed"),
    "template_invalid": ShownStatus("Cannot be read", "bad", "failed"),
    "template_incompatible": ShownStatus("Needs another release", "wait", "warning"),
    "template_withdrawn": ShownStatus("Withdrawn", "idle", "cancelled"),
    "template_lacks": ShownStatus("Missing", "wait", "warning"),
}
_ICON = Markup('<svg class="i{}" viewBox="0 0 24 24" aria-hidden="true"><use href="/static/icons.svg#{}"/></svg>')
MOVING = frozenset(("running", "started", "accepted"))


def shown(status: str) -> ShownStatus:
    """Return the word, colour and glyph of a status; one that this release does not know stands for itself."""
    return STATUSES.get(status) or ShownStatus(status, "idle", "pending")


# The same few glyphs, statuses and icons stand on a page many times.
@lru_cache(512)
def glyph(name: str, *, spin: bool = False, label: str = "") -> Markup:
    """Return a glyph. spin: its arc moves. label: its name for screen readers; default: decoration."""
    inner = (_SPINNING if spin else _STILL)[name]
    named = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg viewBox="0 0 16 16" width="15" height="15" {}>{}</svg>').format(named, inner)


@lru_cache(512)
def status(key: str, *, pill: bool = False, spin: bool = False, word: str = "") -> Markup:
    """Return a status as glyph and word. pill: on its tint, for headings. word: default: the status's own."""
    found = shown(key)
    classes = f"st c-{found.colour}{' pill' if pill else ''}"
    return Markup('<span class="{}">{}{}</span>').format(
        classes, glyph(found.glyph, spin=spin and key in MOVING), word or found.word
    )


@lru_cache(512)
def mark(key: str) -> Markup:
    """Return the glyph of a status, with its word for screen readers only."""
    found = shown(key)
    return Markup('<span class="st c-{}">{}<span class="vh">{}</span></span>').format(
        found.colour, glyph(found.glyph), found.word
    )


@lru_cache(512)
def icon(name: str, classes: str = "") -> Markup:
    """Return an icon of the sprite."""
    return _ICON.format(f" {classes}" if classes else "", name)
