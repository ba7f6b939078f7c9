"""A small line without axes, for a cell of a table: what there was by day, and beneath it the part that was bad."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, MARGIN = 84, 22, 2


def outline(values: Sequence[int], bad: Sequence[int], label: str) -> Markup:
    """Return the line from zero to the largest of `values`, oldest first. label: a sentence that says what it shows."""
    most = max(values, default=0) or 1
    last = max(1, len(values) - 1)

    def at(n: int, value: int) -> str:
        x = MARGIN + n / last * (WIDTH - 2 * MARGIN)
        return f"{x:.1f},{HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN):.1f}"

    def line(kind: str, shown: Sequence[int]) -> str:
        points = " ".join(at(n, value) for n, value in enumerate(shown))
        return f'<polyline class="{kind}" points="{points}" stroke-linejoin="round"/>'

    parts = [line("s-data", values)]
    if any(bad):
        parts.append(line("s-bad", bad))
    drawn = "".join(parts)
    head = f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}<title>{escape(label)}</title>{drawn}</svg>")  # noqa: S704 - all text is escaped
