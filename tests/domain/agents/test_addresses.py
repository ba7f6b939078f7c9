"""Where outgoing calls may go: by name, by address in whatever form, by port."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.agents.address_entries import read_entries
from domain.agents.addresses import OPEN_ADDRESSES, AddressRules
from domain.agents.literals import read_literal

METADATA = (
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0XA9.0376.43518",
    "169.254.43518",
    "169.254.169.254.",
    "[::ffff:169.254.169.254]",
    "::ffff:a9fe:a9fe",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
    "metadata.google.internal",
    "Metadata.Google.Internal.",
    "metadata",
)


def rules(allow: str | None = None, deny: str = "") -> AddressRules:
    return AddressRules(None if allow is None else read_entries(allow), read_entries(deny))


@pytest.mark.parametrize("host", METADATA)
def test_link_local_and_metadata_are_denied_by_default_in_every_form(host: str) -> None:
    assert OPEN_ADDRESSES.refuses(host, 80)
    assert rules("0.0.0.0/0, ::/0, *").refuses(host, 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "agents.example", "8.8.8.8", "2001:db8::1"])
def test_other_addresses_are_open_by_default(host: str) -> None:
    assert not OPEN_ADDRESSES.refuses(host, 80)


@pytest.mark.parametrize(
    ("allow", "deny", "reached", "refused"),
    [
        ("10.0.0.0/8", "", ["10.1.2.3:1", "[::ffff:10.0.0.1]:1", "167772161:1"], ["11.0.0.1:1", "[::1]:1"]),
        ("10.0.0.0/8", "10.0.0.1", ["10.0.0.2:1"], ["10.0.0.1:1"]),
        ("10.0.0.1:443", "", ["10.0.0.1:443"], ["10.0.0.1:80"]),
        ("[fd00::/8]:443,::1", "", ["[fd00::1]:443", "[::1]:9"], ["[fd00::1]:80", "[fe00::1]:443"]),
        ("a.example, *.b.example:8443", "", ["a.example:1", "x.y.b.example:8443"], ["b.example:8443", "x.b.example:1"]),
        ("*", "*.corp.example", ["a.example:1"], ["db.corp.example:1", "DB.Corp.Example.:1"]),
        (None, "127.0.0.0/8, ::1", ["10.0.0.1:1"], ["127.9.9.9:1", "0.0.0.0:1", "[::]:1", "0:1", "[::1]:1"]),
        (None, "localhost:5432", ["localhost:80"], ["localhost:5432"]),
        ("169.254.7.7", "", ["169.254.7.7:80"], ["169.254.169.254:80"]),
        ("metadata.google.internal", "", ["metadata.google.internal:80"], ["169.254.169.254:80"]),
    ],
)
def test_the_operators_lists_decide(allow: str | None, deny: str, reached: list[str], refused: list[str]) -> None:
    def goes(place: str) -> bool:
        host, _, port = place.rpartition(":")
        return not rules(allow, deny).refuses(host, int(port))

    assert [place for place in (*reached, *refused) if goes(place)] == reached


def test_a_name_is_allowed_or_denied_by_what_it_stands_for() -> None:
    inside = ip_address("10.0.0.1")
    assert rules("10.0.0.0/8").refuses("a.example", 80, [ip_address("192.0.2.1")])
    assert not rules("10.0.0.0/8").refuses("a.example", 80, [inside])
    assert rules(deny="10.0.0.0/8").refuses("a.example", 80, [inside])
    assert not rules(deny="10.0.0.0/8").refuses("a.example", 80, [inside, ip_address("192.0.2.1")])
    assert rules("a.example").refuses("a.example", 80, [ip_address("169.254.169.254")])


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "a b/8:x", "http://a.example", "10.0.0.256", "a:0", "a:65536", "[::1", "*x"]
)
def test_anything_else_is_no_entry(text: str) -> None:
    with pytest.raises(ValueError, match="is no address like"):
        read_entries(text)


@given(
    st.from_regex(r"(0x[0-9a-f]{1,9}|0[0-7]{0,12}|[0-9]{1,11})(\.(0[xX][0-9a-f]{0,3}|[0-9]{1,4})){0,4}", fullmatch=True)
)
@example("0x")
@example("08")
def test_numbers_are_read_as_connecting_reads_them(host: str) -> None:
    try:
        expected = ip_address(socket.inet_aton(host))
    except OSError:
        expected = None
    assert read_literal(host) == expected
