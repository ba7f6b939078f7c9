"""Masks secrets in what others send, in time linear in its length, however JSON may have escaped them."""

import re
from bisect import bisect_right
from collections.abc import Iterable

MASK = b"***"
# Shorter values occur in ordinary text by chance; masking them would garble answers and protect nothing.
SHORTEST_MASKED = 6
_ESCAPE = re.compile(rb"(\\+)(?:u00([0-9a-fA-F]{2}))?")


def mask(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return `data` with each of `secrets` replaced by ``***``: as it is, escaped as in JSON, or as in JSON in JSON."""
    hidden = [secret.encode() for secret in sorted(set(secrets), key=len, reverse=True)]
    hidden = [secret for secret in hidden if len(secret) >= SHORTEST_MASKED]
    for secret in hidden:
        data = data.replace(secret, MASK)
    if hidden and b"\\" in data:
        # A character of a secret may stand behind backslashes, or as \u00XX; a secret may itself hold "u00".
        data = _mask_escaped(data, hidden, decoded=True)
        data = _mask_escaped(data, hidden, decoded=False)
    return data


def _mask_escaped(data: bytes, secrets: list[bytes], *, decoded: bool) -> bytes:
    flat, offsets, origins = _flattened(data, decoded=decoded)

    def origin(offset: int) -> int:
        at = bisect_right(offsets, offset) - 1
        return origins[at] + offset - offsets[at]

    spans: list[tuple[int, int]] = []
    for secret in secrets:
        needle, _, _ = _flattened(secret, decoded=decoded)
        if len(needle) >= SHORTEST_MASKED:
            at = flat.find(needle)
            while at >= 0:
                spans.append((origin(at), origin(at + len(needle))))
                at = flat.find(needle, at + len(needle))
    return _replaced(data, sorted(spans)) if spans else data


def _flattened(data: bytes, *, decoded: bool) -> tuple[bytes, list[int], list[int]]:
    """Return `data` without backslashes, with \\u00XX decoded on request, and where its parts come from.

    The byte at `offsets[n]`, and those after it up to `offsets[n + 1]`, come from `origins[n]` on.
    """
    pieces: list[bytes] = []
    offsets, origins = [0], [0]
    size = begin = 0
    for found in _ESCAPE.finditer(data):
        pieces.append(data[begin : found.start()])
        size += found.start() - begin
        offsets.append(size)
        origins.append(found.start())
        if decoded and found[2] is not None:
            pieces.append(bytes((int(found[2], 16),)))
            size += 1
            begin = found.end()
            offsets.append(size)
            origins.append(begin)
        else:
            begin = found.end(1)
            offsets.append(size + 1)
            origins.append(begin + 1)
    pieces.append(data[begin:])
    return b"".join(pieces), offsets, origins


def _replaced(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for begin, end in spans:
        if begin >= done:
            pieces += (data[done:begin], MASK)
        done = max(done, end)
    pieces.append(data[done:])
    return b"".join(pieces)
