"""Look-ups of names: slow ones keep neither other names nor the threads of other work waiting."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from gateway.lookups import Lookups

HANGING = "hanging.example"


class NameServer:
    """Answers at once, but for names that hang until they are released. asked: how often, by name."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.release = threading.Event()

    def getaddrinfo(self, host, port, *args, **more):
        self.asked[host] += 1
        if host.endswith(HANGING):
            self.release.wait(60)
        if host == "absent.example":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))] * 2


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.release.set()


def test_calls_of_one_hanging_name_keep_nothing_else_waiting(names: NameServer) -> None:
    async def calls() -> None:
        lookups = Lookups(2)
        hanging = [asyncio.create_task(lookups.resolve(HANGING, 443)) for _ in range(200)]
        async with asyncio.timeout(60):
            assert await lookups.resolve("other.example", 443) == ["192.0.2.1"]
            assert await asyncio.to_thread(len, "masking") == 7
            hanging[0].cancel()
            names.release.set()
            found = await asyncio.gather(*hanging, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1:] == [["192.0.2.1"]] * 199
        assert names.asked == {HANGING: 1, "other.example": 1}

    asyncio.run(calls())


def test_many_hanging_names_keep_no_thread_of_other_work(names: NameServer) -> None:
    async def calls() -> None:
        lookups = Lookups(2)
        hanging = [asyncio.create_task(lookups.resolve(f"{n}.{HANGING}", 443)) for n in range(100)]
        async with asyncio.timeout(60):
            assert await asyncio.to_thread(len, "masking") == 7
            assert sum(names.asked.values()) <= 2
            names.release.set()
            await asyncio.gather(*hanging)

    asyncio.run(calls())


def test_a_name_is_looked_up_again_after_an_answer_and_after_an_error(names: NameServer) -> None:
    async def calls() -> None:
        lookups = Lookups()
        for _ in range(2):
            await lookups.resolve("other.example", 443)
            with pytest.raises(socket.gaierror):
                await lookups.resolve("absent.example", 443)
        assert names.asked == {"other.example": 2, "absent.example": 2}

    asyncio.run(calls())
