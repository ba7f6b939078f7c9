"""The delivery of inboxes to webhooks, on a thread of its own: no step and no other agent waits for a receiver."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from domain.agents.calls import Failed
from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from domain.refusal import AgentNotFound, NotFound, Refusal
from gateway.inbox_webhook import GONE, TOO_LARGE, deliver_entry, verify
from gateway.outgoing import Outgoing
from queries.inbox.contents import get_entry
from queries.inbox.page import get_inbox
from queries.inbox.views import INBOX, InboxEntry, InboxPage, InboxPlace, read_place
from queries.reading import Reading
from store import inbox_webhooks
from store.datastore import Datastore
from store.inbox_webhooks import DeadLetterToRetry, DueWebhook
from store.unit import Outage

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
AT_ONCE = 20
AT_ONCE_PER_HOST = 8
PAGE = 50
CLAIMED_FOR = timedelta(minutes=2)
# A claim ends long before another worker may claim the webhook: a try takes ten seconds at most.
TURN_SECONDS = 30.0

INTERRUPTED = timedelta(seconds=30)
_PASSING: tuple[type[Exception], ...] = (Refusal, *Outage)

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """pauses: before each further try; after the last one the delivery is dead. longest: of failing, then suspended."""

    pauses: tuple[timedelta, ...] = tuple(timedelta(seconds=each) for each in (5, 30, 120, 300, 600))
    longest: timedelta = timedelta(days=1)


class Bells:
    """Claims due webhooks and delivers to each in the order of the log, some at a time."""

    def __init__(
        self,
        datastore: Datastore,
        reading: Reading,
        clock: Clock,
        policy: OutgoingPolicy,
        patience: Patience = Patience(),
    ) -> None:
        self._datastore = datastore
        self._reading = reading
        self._outgoing = Outgoing(clock, policy)
        self._patience = patience
        self._stopping = threading.Event()
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._open: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="bells", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tries that are open; what they did not finish is due again."""
        self._stopping.set()
        self._thread.join(TURN_SECONDS)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._claim()
            except Outage as error:
                logger.warning("webhooks of inboxes wait for the database: %s", error)
            except Exception:
                logger.exception("webhooks of inboxes were interrupted, trying again")
            await asyncio.to_thread(self._stopping.wait, POLL_SECONDS)
        await asyncio.gather(*self._open)
        await self._outgoing.close()

    async def _claim(self) -> None:
        free = AT_ONCE - len(self._open)
        if free <= 0:
            return
        for webhook in await self._stored(
            partial(inbox_webhooks.claim, projection=INBOX, limit=free, claimed_for=CLAIMED_FOR)
        ):
            task = asyncio.create_task(self._serve(webhook))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _serve(self, webhook: DueWebhook) -> None:
        host, pause = urlsplit(webhook.url).netloc, timedelta()
        try:
            async with self._hosts.setdefault(host, asyncio.Semaphore(AT_ONCE_PER_HOST)):
                await self._turn(webhook, _Turn())
        except _PASSING as error:
            logger.warning("the webhook %s waits: %s", webhook.webhook_id, error)
            pause = INTERRUPTED
        except Exception:
            logger.exception("the webhook %s was interrupted", webhook.webhook_id)
            pause = INTERRUPTED
        try:
            await self._stored(partial(inbox_webhooks.release, id=webhook.webhook_id, pause=pause))
        except Outage as error:
            logger.warning("the webhook %s waits until its claim ends: %s", webhook.webhook_id, error)

    async def _turn(self, webhook: DueWebhook, turn: "_Turn") -> None:
        if not webhook.verified:
            failed = await verify(self._outgoing, webhook.url, webhook.secret)
            if failed is not None:
                await self._failed(webhook, webhook.tries + 1, failed)
                return
            await self._stored(partial(inbox_webhooks.verified, id=webhook.webhook_id))
            webhook = msgspec.structs.replace(webhook, tries=0)
        for letter in await self._stored(partial(inbox_webhooks.to_retry, id=webhook.webhook_id, limit=PAGE)):
            if self._over(turn) or not await self._again(webhook, letter):
                return
        await self._go_on(webhook, turn)

    async def _go_on(self, webhook: DueWebhook, turn: "_Turn") -> None:
        """Deliver the entries after the webhook's position, until one fails, the turn is over or none is left."""
        position, tries = webhook.position, webhook.tries
        while True:
            page = await asyncio.to_thread(self._page, webhook.agent, position)
            for entry in page.items:
                if self._over(turn):
                    return
                failed = await self._deliver(webhook, entry)
                if failed is None:
                    await self._stored(
                        partial(inbox_webhooks.delivered, id=webhook.webhook_id, position=entry.position)
                    )
                elif not await self._is_dead(webhook, entry, tries + 1, failed):
                    return
                position, tries = entry.position, 0
            if not page.has_more:
                until = page.as_of_position
                await self._stored(partial(inbox_webhooks.read_to, id=webhook.webhook_id, until=until))
                return
            position = read_place(page.cursor).position

    async def _is_dead(self, webhook: DueWebhook, entry: InboxEntry, tries: int, failed: Failed) -> bool:
        """Note a failed try; return whether the delivery is dead, and the next one may follow."""
        status = _status(failed)
        if status == GONE or (status != TOO_LARGE and tries <= len(self._patience.pauses)):
            await self._failed(webhook, tries, failed)
            return False
        await self._stored(partial(self._set_aside, webhook, entry, tries, failed))
        return True

    def _set_aside(self, webhook: DueWebhook, entry: InboxEntry, tries: int, failed: Failed, connection: Any) -> None:
        id, error = webhook.webhook_id, failed.error.message
        inbox_webhooks.died(connection, id, entry.event_id, entry.position, tries, error)
        inbox_webhooks.skipped(connection, id, entry.position)
        inbox_webhooks.failed(connection, id, 0, error, timedelta(), ends=False, longest=self._patience.longest)
        logger.warning("the entry %s is a dead delivery of the webhook %s: %s", entry.event_id, id, error)

    async def _again(self, webhook: DueWebhook, letter: DeadLetterToRetry) -> bool:
        """Try a dead delivery once more; return whether the next one may follow."""
        id = webhook.webhook_id
        try:
            read = partial(get_entry, self._reading, webhook.agent, letter.event_id)
            entry = (await asyncio.to_thread(read)).entry
        except AgentNotFound:
            raise
        except NotFound:
            await self._stored(partial(inbox_webhooks.revived, id=id, event_id=letter.event_id))
            return True
        failed = await self._deliver(webhook, entry)
        if failed is None:
            await self._stored(partial(inbox_webhooks.revived, id=id, event_id=letter.event_id))
            return True
        error = failed.error.message
        await self._stored(
            partial(
                inbox_webhooks.died, id=id, event_id=letter.event_id, position=letter.position, tries=1, error=error
            )
        )
        return _status(failed) == TOO_LARGE

    async def _deliver(self, webhook: DueWebhook, entry: InboxEntry) -> Failed | None:
        content = content_of_entry(entry, self._reading.epoch)
        return await deliver_entry(self._outgoing, webhook.url, webhook.secret, entry.event_id, content)

    async def _failed(self, webhook: DueWebhook, tries: int, failed: Failed) -> None:
        pauses, least = self._patience.pauses, failed.error.retry_after or timedelta()
        pause = max(pauses[min(tries, len(pauses)) - 1], least)
        note = partial(
            inbox_webhooks.failed,
            id=webhook.webhook_id,
            tries=tries,
            error=failed.error.message,
            pause=pause,
            ends=_status(failed) == GONE,
            longest=self._patience.longest,
        )
        await self._stored(note)

    def _over(self, turn: "_Turn") -> bool:
        return self._stopping.is_set() or asyncio.get_running_loop().time() - turn.began > TURN_SECONDS

    def _page(self, agent: str, position: int) -> InboxPage:
        return get_inbox(
            self._reading, agent, cursor=InboxPlace(position, epoch=self._reading.epoch).cursor, limit=PAGE
        )

    async def _stored(self, act: Callable[..., T]) -> T:
        def acting() -> T:
            with self._datastore.reading() as connection:
                return act(connection=connection)

        return await asyncio.to_thread(acting)


class _Turn:
    """One turn of one webhook."""

    def __init__(self) -> None:
        self.began = asyncio.get_running_loop().time()


def content_of_entry(entry: InboxEntry, epoch: str | None) -> dict[str, Any]:
    """Return the body of a delivery: what happened, without the summary, as no content leaves through webhooks.

    epoch: of the position of the entry.
    """
    data = msgspec.to_builtins(entry)
    del data["summary"]
    return {
        "type": entry.type,
        "timestamp": data["at"],
        "data": {**data, "cursor": InboxPlace(entry.position, epoch=epoch).cursor},
    }


def _status(failed: Failed) -> int | None:
    found = (failed.error.details or {}).get("status")
    return found if isinstance(found, int) else None
