"""Addresses of mail, read strictly: nothing that could become another header, command or recipient."""

import re
from email.headerregistry import Address

LONGEST = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
_WORD = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f]"
_ADDRESS = re.compile(rf"({_WORD}{{1,64}})@({_WORD}{{1,253}})")
_NAMED = re.compile(r"([^<>\x00-\x1f\x7f-\x9f\u2028\u2029]{0,200}?) ?<([^<>]+)>")


def read_mailbox(text: str) -> Address:
    """Return the mailbox in ``ann@example.org`` or ``Ann <ann@example.org>``; a non-ASCII domain becomes ``xn--…``.

    Raises ValueError, which does not repeat the text.
    """
    text = text.strip()
    named = _NAMED.fullmatch(text)
    name, address = (named[1].strip(' "'), named[2]) if named else ("", text)
    parts = _ADDRESS.fullmatch(address)
    if parts is not None and len(address) <= LONGEST and all(parts[1].split(".")):
        try:
            return Address(name, parts[1], parts[2].encode("idna").decode())
        except (ValueError, IndexError):
            pass
    raise ValueError("it is not an address like ann@example.org")
