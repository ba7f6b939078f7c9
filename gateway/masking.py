"""Masks secrets in what others send, in time linear in its length, in the forms in which senders repeat them."""

import re
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from urllib.parse import quote_plus

MASK = b"***"
# Shorter values occur in ordinary text by chance; masking them would garble answers and protect nothing.
SHORTEST_MASKED = 6
# The second group is the number of the character that stands there.
_JSON = re.compile(rb"(\\+)(?:u00([0-9a-fA-F]{2}))?")
_BACKSLASHES = re.compile(rb"(\\+)((?!))?")
_PERCENT = re.compile(rb"(%)([0-9a-fA-F]{2})")


def mask(data: bytes, secrets: Iterable[str]) -> bytes:
    """Return `data` with each of `secrets` replaced by ``***``: as it is, escaped as in JSON, or as in JSON in JSON,
    with percent signs as in addresses, in base64, or as in HTML.
    """
    hidden = [secret for secret in set(secrets) if len(secret.encode()) >= SHORTEST_MASKED]
    if not hidden:
        return data
    forms = sorted({form for secret in hidden for form in _forms(secret)}, key=len, reverse=True)
    for form in forms:
        data = data.replace(form, MASK)
    if b"\\" in data:
        # A character of a secret may stand behind backslashes, or as \u00XX; a secret may itself hold "u00".
        data = _mask_escaped(data, forms, _JSON)
        data = _mask_escaped(data, forms, _BACKSLASHES)
    if b"%" in data:
        data = _mask_escaped(data, forms, _PERCENT)
    return data


@lru_cache(maxsize=512)
def _forms(secret: str) -> tuple[bytes, ...]:
    """Return the secret as it is, as in HTML, as in a form, and in base64 wherever it begins in the encoded text."""
    plain = secret.encode()
    forms = {plain, escape(secret).encode(), quote_plus(secret).encode()}
    for before in range(3):
        # Characters that also depend on the neighbours of the secret are left out.
        coded = b64encode(bytes(before) + plain)[-(-8 * before // 6) : 8 * (before + len(plain)) // 6]
        forms |= {coded, coded.translate(bytes.maketrans(b"+/", b"-_"))}
    return tuple(form for form in forms if len(form) >= SHORTEST_MASKED)


def _mask_escaped(data: bytes, secrets: list[bytes], escapes: re.Pattern[bytes]) -> bytes:
    flat, offsets, origins = _flattened(data, escapes)

    def origin(offset: int) -> int:
        at = bisect_right(offsets, offset) - 1
        return origins[at] + offset - offsets[at]

    spans: list[tuple[int, int]] = []
    for secret in secrets:
        needle, _, _ = _flattened(secret, escapes)
        if len(needle) >= SHORTEST_MASKED:
            at = flat.find(needle)
            while at >= 0:
                spans.append((origin(at), origin(at + len(needle))))
                at = flat.find(needle, at + len(needle))
    return _replaced(data, sorted(spans)) if spans else data


def _flattened(data: bytes, escapes: re.Pattern[bytes]) -> tuple[bytes, list[int], list[int]]:
    """Return `data` without the signs that escape, each escaped character decoded, and where its parts come from.

    The byte at `offsets[n]`, and those after it up to `offsets[n + 1]`, come from `origins[n]` on.
    """
    pieces: list[bytes] = []
    offsets, origins = [0], [0]
    size = begin = 0
    for found in escapes.finditer(data):
        pieces.append(data[begin : found.start()])
        size += found.start() - begin
        offsets.append(size)
        origins.append(found.start())
        if found[2] is not None:
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
