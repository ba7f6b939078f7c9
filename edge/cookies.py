"""The cookies of a request that may be read: those whose values are plain."""

RawHeaders = list[tuple[bytes, bytes]]
"""As ASGI states them: names in lower case."""


def readable_cookies(headers: RawHeaders) -> RawHeaders:
    """Return headers without the cookies that hold an escape.

    None of the cookies set here does, and releases of Python read escapes in time that is quadratic in their number.
    """
    if not any(name == b"cookie" and b"\\" in value for name, value in headers):
        return headers
    return [(name, _plain(value) if name == b"cookie" else value) for name, value in headers]


def _plain(value: bytes) -> bytes:
    return b";".join(each for each in value.split(b";") if b"\\" not in each)
