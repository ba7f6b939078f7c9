"""Texts of others as a terminal may have them: without characters that move its cursor, or do more to it."""


def plain(text: str, kept: str = "\n\t") -> str:
    """Return `text` with a space in the place of each character that is not printable, except those `kept`.

    Not printable are control characters, those that change the direction of writing, and halves of surrogate pairs.
    """
    if text.isprintable():
        return text
    return "".join(each if each in kept or each.isprintable() else " " for each in text)
