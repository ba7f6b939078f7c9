"""Room for large results in the memory of a worker: bounded, in order of arrival, and given back."""

import asyncio

from gateway.large_results import UNIT, ByteRoom


def test_no_more_bytes_are_taken_than_there_are_and_a_large_one_is_not_passed_by() -> None:
    async def takes() -> None:
        room = ByteRoom(4 * UNIT)
        first = await room.take(3 * UNIT)
        large = asyncio.create_task(room.take(9 * UNIT))
        small = asyncio.create_task(room.take(1))
        await asyncio.sleep(0)
        assert not large.done()
        assert not small.done()
        room.give(first)
        assert await large == 4
        await asyncio.sleep(0)
        assert not small.done()
        room.give(4)
        assert await small == 1

    asyncio.run(takes())


def test_one_that_is_cancelled_while_it_waits_gives_back_what_it_has() -> None:
    async def takes() -> None:
        room = ByteRoom(4 * UNIT)
        first = await room.take(2 * UNIT)
        waiting = asyncio.create_task(room.take(4 * UNIT))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        room.give(first)
        async with asyncio.timeout(60):
            assert await room.take(4 * UNIT) == 4

    asyncio.run(takes())
