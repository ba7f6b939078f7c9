"""Figures of analytics as people read them: rates, amounts, and changes with whether they are good."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from markupsafe import Markup, escape

from queries.amounts import Amount
from queries.analytics.figures import DurationFigures, FigureChange
from web.wording import NOTHING, SYMBOLS, duration, money

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rate(value: float | None) -> str:
    """Return a part of a whole as ``94.2%``."""
    return NOTHING if value is None else f"{value * 100:.1f}%"


def amount(value: str | float | None, currency: str) -> Markup:
    """Return an amount in a currency, rounded, exact as the title."""
    return escape(NOTHING) if value is None else money([Amount(str(value), currency)])


def plain_amount(value: Decimal, currency: str) -> str:
    """Return an amount beside a grid line."""
    shown = f"{value.normalize():f}" if value else "0"
    symbol = SYMBOLS.get(currency)
    return f"{shown} {currency}" if symbol is None else f"{symbol}{shown}"


def day_name(day: date) -> str:
    """Return a day as ``3 Nov``."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def change_of_rate(change: FigureChange | None) -> Markup:
    """Return ``1.8 points up from 92.4%``."""
    return _change(change, lambda by: f"{by * 100:.1f} points", ("up", "down"), rate)


def change_in_percent(change: FigureChange | None) -> Markup:
    """Return ``+18%``, or whether there is nothing to compare with."""
    if change is None or change.difference is None or not change.before:
        return Markup('<span class="m">new</span>') if change is not None and change.now else escape(NOTHING)
    by = round(change.difference / change.before * 100)
    colour = {True: "good", False: "worse", None: "m"}[change.is_good]
    return Markup('<span class="{}">{}</span>').format(colour, f"{by:+,d}%" if by else "same")


def change_of_count(change: FigureChange | None) -> Markup:
    """Return ``12 more than 40``."""
    return _change(change, lambda by: f"{by:,.0f}", ("more", "fewer"), lambda before: f"{before or 0:,.0f}")


def change_of_duration(change: FigureChange | None) -> Markup:
    """Return ``6.0 s slower than 58 s``."""
    return _change(change, duration, ("slower", "faster"), duration)


def change_of_amount(change: FigureChange | None, currency: str, words: tuple[str, str]) -> Markup:
    """Return ``$0.021 dearer, from $0.308``. words: for more and for less."""

    def written(value: float | None) -> Markup:
        return amount(None if value is None else f"{value:.6g}", currency)

    return _change(change, written, words, written)


def split_words(figures: DurationFigures) -> str:
    """Return ``working 20%, waiting 75%, retrying 5%``."""
    parts = (("working", figures.working), ("waiting", figures.waiting), ("retrying", figures.retrying))
    whole = sum(value or 0 for _, value in parts)
    if not whole:
        return "nothing completed"
    return ", ".join(f"{word} {100 * (value or 0) / whole:.0f}%" for word, value in parts)


def shares(figures: DurationFigures) -> list[tuple[str, float]]:
    """Return the parts of the mean duration for a drawing."""
    return [("run", figures.working or 0.0), ("wait", figures.waiting or 0.0), ("retry", figures.retrying or 0.0)]


def _change(
    change: FigureChange | None,
    by: Callable[[float], str],
    words: tuple[str, str],
    before: Callable[[float | None], str],
) -> Markup:
    if change is None or change.difference is None:
        return Markup("nothing to compare with")
    if not change.difference:
        return Markup("as before")
    colour = {True: "good", False: "worse", None: "m"}[change.is_good]
    word = words[0] if change.difference > 0 else words[1]
    shown = Markup('<span class="{}">{} {}</span> from {}')
    return shown.format(colour, by(abs(change.difference)), word, before(change.before))
