"""Public prices: those of the package genai-prices as it is installed. It is loaded when a price is first needed."""

import threading
from collections import OrderedDict
from datetime import datetime
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.costs.calculator import FoundPrices
from domain.costs.flags import PRICE_MISSING, TIER_UNPRICED
from domain.costs.unit_prices import UnitPrices

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider

MOST_KEPT = 4096
# The keys under which the package keeps prices of other tiers.
_TIER_KEYS = ("service_tier", "speed", "processing")
_EXACT = Context(prec=60, traps=[Inexact, DivisionByZero, InvalidOperation])
_OF_TOKENS = {
    "input_mtok": ("input",),
    "cache_read_mtok": ("cache_read",),
    "cache_write_mtok": ("cache_write_5m", "cache_write_1h"),
    "cache_write_5m_mtok": ("cache_write_5m",),
    "cache_write_1h_mtok": ("cache_write_1h",),
    "output_mtok": ("output",),
    "output_reasoning_mtok": ("reasoning",),
}


class PublicPrices:
    """Implements `domain.costs.calculator.PriceTable`. It fetches nothing; any thread may call it."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._snapshot: DataSnapshot | None = None
        self._source = ""
        self._models: OrderedDict[tuple[str, str], tuple[Provider, ModelInfo] | None] = OrderedDict()
        self._hosts: OrderedDict[str, str] = OrderedDict()

    @property
    def is_loaded(self) -> bool:
        """Whether the prices have been loaded."""
        return self._snapshot is not None

    def find(self, provider: str, model: str, at: datetime, tier: str, all_input: int) -> FoundPrices:
        """Return the prices of one call; a tier needs prices of its own. all_input: its tokens of input."""
        found = self._model(provider, model)
        if found is None:
            return FoundPrices(flag=PRICE_MISSING)
        owner, info = found
        if not info.prices:
            return FoundPrices(flag=PRICE_MISSING)
        context = None
        if tier:
            context = self._context(info, tier, at) if any(info is each for each in owner.models) else None
            if context is None:
                return FoundPrices(flag=TIER_UNPRICED)
        prices = _unit_prices(info.get_prices(at, context), all_input)
        return FoundPrices(flag=PRICE_MISSING) if prices is None else FoundPrices(prices, self._source)

    def provider_of(self, url: str) -> str:
        """Return the provider at the host of an address; empty if none is known there."""
        known = self._hosts.get(url)
        if known is None:
            known = self._hosts[url] = self._at_host(url)
            _bound(self._hosts)
        return known

    def _at_host(self, url: str) -> str:
        import re

        parts = urlsplit(url)
        # Names and numbers in front of the host, or a longer host, are not the provider's.
        plain = f"https://{(parts.hostname or '').lower()}{parts.path or '/'}"
        for provider in self._loaded().providers:
            match = re.match(provider.api_pattern, plain)
            if match is not None and (
                match.end() == len(plain) or plain[match.end() - 1] == "/" or _ends(match, plain)
            ):
                return provider.id
        return ""

    def _context(self, info: "ModelInfo", tier: str, at: datetime) -> dict[str, str] | None:
        """Return the context under which a model has prices of a tier at a time; None if it has none."""
        for variant in info.price_variants or ():
            for key in _TIER_KEYS:
                if variant.when == {key: tier} and (variant.constraint is None or variant.constraint.active(at)):
                    return {key: tier}
        return None

    def _model(self, provider: str, model: str) -> "tuple[Provider, ModelInfo] | None":
        key = provider.lower(), model.lower()
        if key not in self._models:
            self._models[key] = self._looked_up(*key)
            _bound(self._models)
        return self._models[key]

    def _looked_up(self, provider: str, model: str) -> "tuple[Provider, ModelInfo] | None":
        """Return the model of exactly this provider: neither name is guessed from a part of it."""
        snapshot = self._loaded()
        owner = next((each for each in snapshot.providers if each.id == provider), None)
        info = None if owner is None else owner.find_model(model, all_providers=snapshot.providers)
        return None if owner is None or info is None else (owner, info)

    def _loaded(self) -> "DataSnapshot":
        with self._loading:
            if self._snapshot is None:
                from genai_prices.data_snapshot import get_snapshot

                self._source = f"genai-prices {version('genai-prices')}"
                self._snapshot = get_snapshot()
            return self._snapshot


def _ends(match: Any, text: str) -> bool:
    return text[match.end()] in "/?:"


def _bound(kept: "OrderedDict[Any, Any]") -> None:
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def _unit_prices(prices: "ModelPrice", all_input: int) -> UnitPrices | None:
    """Return the prices that apply to a call with so much input; None if the entry has none."""
    from genai_prices.units import _get_registry

    registry, of_tokens = _get_registry(), dict[str, Decimal]()
    per_unit: dict[str, Decimal] = {}
    stated = {key: _at_size(value, all_input) for key, value in vars(prices).items() if value is not None}
    for key, names in _OF_TOKENS.items():
        of_tokens |= {name: stated[key] for name in names if key in stated}
    for key in stated.keys() - _OF_TOKENS.keys():
        unit = registry.unit_for_price_key(key)
        try:
            per_unit[unit.usage_key] = _EXACT.divide(stated[key], Decimal(unit.per))
        except Inexact:
            continue  # a price that no decimal states is none that an amount could rest on
    return UnitPrices("USD", **of_tokens, per_unit=per_unit) if of_tokens or per_unit else None


def _at_size(price: Any, all_input: int) -> Decimal:
    """Return the price, or that of the highest tier that begins below `all_input` tokens."""
    if isinstance(price, Decimal):
        return price
    above = [tier.price for tier in price.tiers if all_input > tier.start]
    found: Decimal = above[-1] if above else price.base
    return found
