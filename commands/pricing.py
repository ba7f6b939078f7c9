"""Pricing: the cost of each answer at the prices of its time."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from domain.agents.calls import CALL_CANCELLED, Accepted, Answer, Failed
from domain.clock import Clock
from domain.costs.calculator import calculate
from domain.costs.flags import USAGE_MISSING
from domain.costs.prices import PriceList, fold
from domain.costs.usage import Metered
from domain.identity import PRICES_ID
from store.log import Log
from store.unit import Outage

if TYPE_CHECKING:
    from gateway.prices import PublicPrices

FRESH_FOR_SECONDS = 1.0
CALL_MODELS = frozenset(("openai_chat", "openai_responses", "anthropic"))
"""Kinds of agents whose every call costs something, also without a report of it."""
# Failures after which a model may have worked, although its report did not arrive.
_UNREPORTED = frozenset(
    ("deadline_exceeded", "agent_unreachable", "agent_answer_malformed", "agent_refused", CALL_CANCELLED)
)


class KnownPrices:
    """The operator's prices: read from the log, at most a second old. Any thread may call it.

    clock: None: each use reads what is new.
    """

    def __init__(self, log: Log, clock: Clock | None = None) -> None:
        self._log = log
        self._clock = clock
        self._list = PriceList()
        self._read_at: float | None = None
        self._anew = False
        self._lock = threading.Lock()
        log.datastore.epochs.subscribe(self.forget_all)

    def list(self) -> PriceList:
        """Return the prices. During an outage the last ones read go on. Raises Outage when none were ever read."""
        with self._lock:
            now = 0.0 if self._clock is None else self._clock.monotonic()
            if self._anew or self._clock is None or self._read_at is None or now - self._read_at > FRESH_FOR_SECONDS:
                try:
                    self._read()
                except Outage:
                    if self._read_at is None:
                        raise
                self._read_at = now
            return self._list

    @property
    def is_fresh(self) -> bool:
        """Whether the next use reads nothing from the log."""
        read_at, clock = self._read_at, self._clock
        return (
            not self._anew
            and read_at is not None
            and clock is not None
            and clock.monotonic() - read_at <= FRESH_FOR_SECONDS
        )

    def forget_all(self) -> None:
        """Read every price anew at the next use; in an outage those read last go on."""
        self._anew = True

    def expire(self) -> None:
        """Read the log at the next use: this process has added a price."""
        self._read_at = None

    def _read(self) -> None:
        anew, self._anew = self._anew, False
        prices = PriceList() if anew else self._list
        try:
            while page := self._log.stream_page(PRICES_ID, after=prices.version):
                prices = fold(prices, [recorded.event for recorded in page])
        except BaseException:
            self._anew |= anew
            raise
        self._list = prices


class Pricing:
    """Prices answers. Any thread may call it; the first use loads the public prices, which takes half a second."""

    def __init__(self, known: KnownPrices, table: "PublicPrices | None" = None) -> None:
        self.known = known
        self._table = table

    @property
    def table(self) -> "PublicPrices":
        """The public prices."""
        if self._table is None:
            from gateway.prices import PublicPrices

            self._table = PublicPrices()
        return self._table

    @property
    def is_ready(self) -> bool:
        """Whether answers can be priced without waiting for the log or the public prices."""
        return self._table is not None and self._table.is_loaded and self.known.is_fresh

    def needs(self, answer: Answer, config: Mapping[str, Any]) -> bool:
        """Return whether an answer has a use to be priced: a quick check for the many that have none."""
        if isinstance(answer, Accepted):
            return False
        if answer.metered is not None or config["kind"] in CALL_MODELS:
            return True
        return answer.usage is not None and "provider" in config

    def priced(self, answer: Answer, config: Mapping[str, Any], called_at: datetime | None) -> Answer:
        """Return the answer with what its use costs at the time `called_at`, or with the reason for no price.

        config: of the agent that answered. A cost that the agent reports stays beside it.
        """
        if isinstance(answer, Accepted) or not self.needs(answer, config):
            return answer
        metered = self._metered(answer, config)
        if metered is None:
            return answer
        metered = replace(metered, called_at=called_at)
        if answer.usage is not None or answer.cost is None:
            metered = calculate(metered, self.known.list(), self.table)
        return replace(answer, metered=metered)

    def _metered(self, answer: Any, config: Mapping[str, Any]) -> Metered | None:
        from gateway.usage.counts import classes_of

        metered: Metered | None = answer.metered
        if answer.usage is None and metered is None:
            if answer.cost is not None or (isinstance(answer, Failed) and answer.error.code not in _UNREPORTED):
                return None
            if isinstance(answer, Failed) and (answer.error.details or {}).get("status"):
                return None  # a reply with the status of an error costs nothing
            metered = Metered(flags=[USAGE_MISSING])
        elif metered is None:
            metered = Metered(tokens=classes_of(answer.usage))
        elif metered.tokens is None and answer.usage is not None and not metered.flags:
            metered = replace(metered, tokens=classes_of(answer.usage))
        return replace(
            metered,
            provider=metered.provider or self._provider(config),
            model=metered.model or config.get("model", ""),
        )

    def _provider(self, config: Mapping[str, Any]) -> str:
        stated: str | None = config.get("provider")
        if stated is not None:
            return stated
        url = config.get("base_url") or config.get("url")
        return self.table.provider_of(url) if url else ""
