"""Marks above a slider: where in a row of events something of a kind happened."""

from collections.abc import Iterable

from markupsafe import Markup

HALF_A_THUMB = 8


def track(marks: Iterable[tuple[int, str]], count: int) -> Markup:
    """Return the marks, each at its number from 1 to `count`, in the colour of its kind.

    A slider's thumb stops half its width before the ends; the inner view leaves the same room.
    """
    span = max(count - 1, 1)
    drawn = "".join(
        f'<rect x="{(number - 1) / span * 100:.2f}%" y="2" width="2" height="9" rx="1" class="f-{kind}"/>'
        for number, kind in marks
    )
    # Numbers and names of classes only.
    return Markup(f'<svg class="ch marks" aria-hidden="true">{drawn}</svg>')  # noqa: S704
