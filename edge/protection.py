"""The headers that protect an answer in a browser, on every answer of a door."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PROTECTION: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Each stands unless the answer states its own."""


def protect(headers: list[tuple[bytes, bytes]]) -> None:
    """Add the headers that `headers` lacks."""
    stated = {name for name, _ in headers}
    headers += [header for header in PROTECTION if header[0] not in stated]
