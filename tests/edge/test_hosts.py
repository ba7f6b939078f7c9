"""Hosts and origins: only what a browser would call the same is one's own, however it is written."""

from hypothesis import given
from hypothesis import strategies as st

from edge.hosts import Hosts, hosts_of, parse_authority, parse_origin

NAMES = st.sampled_from(["localhost", "a.localhost", "127.0.0.1", "[::1]", "p.example", "evil.example", "10.0.0.7"])
PORTS = st.sampled_from([None, 80, 443, 8080, 8443])
SCHEMES = st.sampled_from(["http", "https"])


def written(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"


@given(host=NAMES, port=PORTS, other=NAMES, other_port=PORTS, scheme=SCHEMES)
def test_an_origin_is_own_where_host_and_port_are_those_of_the_request(
    host: str, port: int | None, other: str, other_port: int | None, scheme: str
) -> None:
    stated, origin = parse_authority(written(host, port)), parse_origin(f"{scheme}://{written(other, other_port)}")
    assert stated is not None
    assert origin is not None
    standard = 80 if scheme == "http" else 443
    # A proxy that ends TLS passes a host without a port on.
    same_port = port == other_port or (port or standard) == (other_port or standard)
    assert Hosts().own(origin, stated) == (host == other and same_port)


@given(text=st.text(st.sampled_from("localhst.127:0[]@/,%e vil\x00\xe4"), max_size=20))
def test_no_other_writing_of_a_host_is_local(text: str) -> None:
    authority = parse_authority(text)
    if authority is not None and Hosts().admit(authority):
        host = (
            text.lower().rpartition(":")[0] if text.rpartition(":")[2].isdigit() and text[-1] != "]" else text.lower()
        )
        host = host.rstrip(".")
        assert host in ("localhost", "[::1]") or host.endswith(".localhost") or host.startswith("127.")


@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    parse_authority(text)
    origin = parse_origin(text)
    assert origin is None or origin.scheme in ("http", "https")


def test_a_public_url_is_a_host_and_an_origin() -> None:
    hosts = hosts_of("https://P.example:8443/base", None, keyed=False)
    authority, origin = parse_authority("p.example"), parse_origin("https://p.example:8443")
    assert authority is not None
    assert origin is not None
    assert hosts.admit(authority)
    assert hosts.own(origin, parse_authority("127.0.0.1:8080"))
    assert not hosts.every
