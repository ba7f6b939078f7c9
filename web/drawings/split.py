"""A bar of shares: where time goes."""

from collections.abc import Sequence

from markupsafe import Markup, escape

HEIGHT = 8
GAP = 0.35


def split(shares: Sequence[tuple[str, float]], label: str) -> Markup:
    """Return the bar. shares: a class of colour and a share of zero or more, in order. label: the shares in words."""
    whole = sum(share for _, share in shares)
    parts, x = [], 0.0
    for kind, share in shares:
        width = share / whole * 100 if whole else 0.0
        if width:
            shown = max(width - GAP, GAP)
            parts.append(f'<rect class="f-{kind}" x="{x:.2f}%" width="{shown:.2f}%" height="{HEIGHT}" rx="1.5"/>')
        x += width
    head = f'<svg class="ch" height="{HEIGHT}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 - all text is escaped
