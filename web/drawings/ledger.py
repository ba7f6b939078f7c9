"""A strip of a ledger: a mark for each expected instant; height and shape say the outcome as well as the colour."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup, escape

WIDTH, GAP, HEIGHT = 9, 3, 20
# The word of each kind of mark, in the singular and the plural alike.
WORDS = {
    "started": "started",
    "late": "started late",
    "failed": "started, then failed",
    "skipped": "skipped",
    "missed": "missed",
    "coalesced": "made up by one run",
    "backfilled": "backfilled",
    "moved": "moved",
    "waiting": "waiting",
    "expected": "expected",
}


class LedgerMark(msgspec.Struct, frozen=True):
    """An expected instant. kind: a name in WORDS. says: its time and outcome. href: where it leads, else nowhere."""

    kind: str
    says: str = ""
    href: str = ""


def ledger(marks: Sequence[LedgerMark], *, told: bool = False) -> Markup:
    """Return the strip of some instants, the oldest first; marks with an address are links of their own.

    told: words beside it say the same.
    """
    width = max(1, len(marks) * (WIDTH + GAP))
    drawn = "".join(_placed(number * (WIDTH + GAP), each) for number, each in enumerate(marks))
    if any(each.href for each in marks):
        # Links have names; a picture would hide them.
        return Markup(f'<svg class="ledger" width="{width}" height="{HEIGHT}">{drawn}</svg>')  # noqa: S704 - escaped
    if told:
        return Markup(f'<svg class="ledger" width="{width}" height="{HEIGHT}" aria-hidden="true">{drawn}</svg>')  # noqa: S704 - escaped
    label = escape(in_words(each.kind for each in marks))
    head = f'<svg class="ledger" width="{width}" height="{HEIGHT}" role="img" aria-label="{label}">'
    return Markup(f"{head}{drawn}</svg>")  # noqa: S704 - all text is escaped


def in_words(kinds: Iterable[str]) -> str:
    """Return how many marks of each kind there are: ``24 expected times: 22 started, 2 expected``."""
    counts = Counter(kinds)
    told = ", ".join(f"{count} {WORDS[kind]}" for kind, count in counts.items())
    return f"{counts.total()} expected times: {told}" if counts else "nothing was expected yet"


def _placed(x: int, mark: LedgerMark) -> str:
    drawn = _SHAPES[mark.kind]
    title = f"<title>{escape(mark.says)}</title>" if mark.says else ""
    inner = f'<g transform="translate({x})">{title}{drawn}</g>'
    if not mark.href:
        return inner
    area = f'<rect class="hit" x="{x - 1}" width="{WIDTH + GAP}" height="{HEIGHT}"/>'
    return f'<a href="{escape(mark.href)}" aria-label="{escape(mark.says)}">{area}{inner}</a>'


def _bar(colour: str, top: float, bottom: float = HEIGHT - 2) -> str:
    return f'<rect class="f-{colour}" y="{top:g}" width="{WIDTH}" height="{bottom - top:g}" rx="2"/>'


_FULL = _bar("ok", 2)
_SHAPES = {
    "started": _FULL,
    "late": f'{_bar("wait", 2)}<rect class="notch" y="2" width="{WIDTH}" height="5"/>',
    "failed": f'{_FULL}<circle class="f-bad halo" cx="{WIDTH / 2}" cy="{HEIGHT - 5}" r="3.4"/>',
    "skipped": _bar("idle", 8.5, 11.5),
    "missed": '<path class="s-missed" d="M1 5l7 10m0 -10l-7 10"/>',
    "coalesced": _bar("undo", 7),
    "backfilled": _bar("run", 7),
    "moved": _bar("idle", 15),
    "waiting": _bar("wait", 7),
    "expected": f'<rect class="s-ghost" x=".75" y="2.75" width="{WIDTH - 1.5}" height="{HEIGHT - 5.5}" rx="2"/>',
}
