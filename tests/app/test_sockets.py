"""The address that the API listens on."""

import socket

import pytest

from app.settings import BadSetting, read_settings
from app.sockets import AddressUnavailable, listen, listen_on_next_free, refuse_open_door, url_of


def test_a_free_port_is_taken_and_known() -> None:
    with listen("127.0.0.1", 0) as bound:
        assert url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"
        with socket.create_connection(bound.getsockname()):
            pass


def test_a_taken_port_is_refused_and_the_next_free_one_found() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(AddressUnavailable, match=f"port {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)
        with listen_on_next_free("127.0.0.1", port) as second:
            assert second.getsockname()[1] != port


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=r"listen on|no address"):
        listen_on_next_free(host, 0)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROCESSION_API_KEY", raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_loopback_address_needs_no_key(host: str) -> None:
    refuse_open_door(read_settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.7", "example.org"])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(BadSetting, match="PROCESSION_API_KEY"):
        refuse_open_door(read_settings(host=host))
    refuse_open_door(read_settings(host=host, api_key="k" * 32))
    refuse_open_door(read_settings(host=host), keyed=True)
