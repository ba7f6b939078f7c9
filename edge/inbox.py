"""The way to an inbox for every door: whose it is, its pages without sensitive values, and the long poll."""

import asyncio
from functools import partial

import anyio

from edge.door import Door
from edge.feed import Feed
from edge.inbox_contents import masked_inbox
from edge.principal import Principal, still_admitted
from edge.refusals import NotPermitted
from edge.scopes import READ_INBOX
from edge.sensitive import SensitiveViews
from queries.inbox.contents import read_contents
from queries.inbox.page import get_inbox
from queries.inbox.views import InboxPage
from store.inbox_deliveries import record_delivery


def require_inbox(caller: Principal, agent: str, *, writes: bool = False) -> None:
    """Raise NotPermitted unless the inbox of the agent is the caller's own, or one that the caller may read.

    writes: acknowledgements and the filter are for the agent itself, and for admins.
    """
    if not (caller.answers_for(agent) if writes else caller.reads_inbox(agent)):
        raise NotPermitted(f"this key is not that of the agent {agent!r}", permission=READ_INBOX)


class InboxReader:
    """Reads the inbox of one agent for one caller, which may read it.

    delivers: the pages count as delivered, if the caller is the agent.
    """

    def __init__(
        self,
        door: Door,
        feed: Feed,
        caller: Principal,
        masking: SensitiveViews,
        agent: str,
        *,
        delivers: bool = True,
    ) -> None:
        self._door = door
        self._feed = feed
        self._caller = caller
        self._masking = masking
        self._agent = agent
        self._delivers = delivers and caller.answers_for(agent) and caller.session is None

    async def read(
        self,
        *,
        cursor: str | None = None,
        limit: int,
        from_position: int | None = None,
        min_position: int | None = None,
        wait: float = 0.0,
    ) -> InboxPage:
        """Return a page; while it is empty, wait for an entry, at most `wait` seconds. No connection is held meanwhile.

        The door may allow less.
        Raises the refusals of the query, or TooManyStreams.
        """
        read = partial(self._page, cursor=cursor, limit=limit, from_position=from_position, min_position=min_position)
        news, round = self._feed.news(), self._feed.inboxes.number
        page = await anyio.to_thread.run_sync(read)
        if page.items or page.has_more or wait <= 0:
            return page
        longest = min(wait, self._door.longest_poll_seconds)
        self._feed.enter(self._door.max_streams)
        try:
            return await self._wait(page, limit, asyncio.get_running_loop().time() + longest, news, round)
        finally:
            self._feed.leave()

    async def _wait(self, page: InboxPage, limit: int, until: float, news: asyncio.Event, round: int) -> InboxPage:
        clock, rounds = asyncio.get_running_loop().time, self._feed.inboxes
        read = partial(self._page, cursor=page.cursor, limit=limit)
        while not page.items and (left := until - clock()) > 0:
            await self._feed.wait(news, min(left, self._door.stream_check_seconds))
            if self._feed.closed or not still_admitted(self._door, self._caller):
                break
            news = self._feed.news()
            latest = await rounds.read(self._door.reading)
            if rounds.concerns(self._agent, round):
                round = latest
                page = await anyio.to_thread.run_sync(read)
        return page

    def _page(
        self,
        *,
        cursor: str | None,
        limit: int,
        from_position: int | None = None,
        min_position: int | None = None,
    ) -> InboxPage:
        reading = self._door.reading
        page = get_inbox(
            reading,
            self._agent,
            cursor=cursor,
            limit=limit,
            from_position=from_position,
            within=self._caller.processes,
            min_position=min_position,
        )
        page = masked_inbox(self._masking, page, partial(read_contents, reading))
        if page.items and self._delivers:
            datastore = self._door.handlers.log.datastore
            record_delivery(datastore, self._agent, page.items[-1].position, self._door.clock.now())
        return page
