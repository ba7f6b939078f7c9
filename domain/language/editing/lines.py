"""The lines of a text in block style, and the edits that may remove those of one key or item."""

from domain.language.editing.edit import Edit
from domain.language.editing.spans import Span


def line_end(source: str, at: int) -> int:
    """Return where the line of a place ends, before its line break."""
    end = source.find("\n", at)
    if end < 0:
        return len(source)
    return end - 1 if source[end - 1] == "\r" and end - 1 >= at else end


def without_lines(source: str, newline: str, start: int, value: Span) -> list[Edit]:
    """Return the edits that may remove a key or an item with lines of its own, the best first.

    start: of the key, or of the dash of the item. value: of the key, or the item.
    """
    begin = source.rfind("\n", 0, start) + 1
    end = line_end(source, max(value.end, start))
    after = end + len(newline) if source.startswith(newline, end) else end
    after = max(after, value.kept_end) if value.kept_end > value.end else after
    # The line break before a last line may belong to the block scalar above it.
    last = [Edit(begin - len(newline), end, "")] if after == end and begin > 0 else []
    # Lines below that are empty, or comments deeper than a block scalar above, would become part of it.
    bar = f"{source[begin:start]}#{source[end:after]}"
    return [*last, Edit(begin, after, ""), Edit(begin, after, bar)]
