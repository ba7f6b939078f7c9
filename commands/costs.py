"""Add a price, and price costs of before anew."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta
from msgspec.structs import replace

from commands.command import Beside, Command, CommandScope, Reason
from commands.deciding import Identified, decide, unidentified
from commands.executions import Executions
from commands.pricing import Pricing
from commands.receipt import Receipt
from domain.costs.calculator import calculate
from domain.costs.flags import OF_REPORT, USAGE_MISSING
from domain.costs.prices import PriceList, RepricedPeriod, add_price, fold, record_repricing
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import Metered
from domain.event import Cause
from domain.executions.decisions.cost import Correction, correct_costs
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.state.cost import differences
from domain.executions.state.model import Execution
from domain.identity import PRICES_ID
from domain.money import Money, add
from store.log import Log

MOST_SHOWN = 200

NameOfModel = Annotated[str, Meta(min_length=1, max_length=200)]


class AddPrice(Command, frozen=True):
    """Add a price of a model; it precedes earlier ones and the public ones. provider: empty: not known."""

    scope = CommandScope.COSTS_WRITE
    provider: Annotated[str, Meta(max_length=200)]
    model: NameOfModel
    valid_from: datetime
    prices: Annotated[UnitPrices, Beside()]
    valid_to: datetime | None = None


class RepriceCosts(Command, frozen=True):
    """Price costs of before by the prices of now. uses: by execution, the versions of the events that booked them.

    dry_run: work out the differences, and record nothing. complete: these are all uses.
    """

    scope = CommandScope.COSTS_WRITE
    period: Annotated[RepricedPeriod, Beside()]
    uses: Annotated[dict[UUID, list[int]], Beside()]
    reason: Reason
    dry_run: bool = False
    complete: Annotated[bool, Beside()] = True


class CostCommands:
    """The handlers of the commands above."""

    def __init__(self, log: Log, executions: Executions, pricing: Pricing) -> None:
        self._log = log
        self._executions = executions
        self._pricing = pricing

    def add(self, command: AddPrice, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Add a price; the same one again records nothing. Raises Malformed or TooManyPrices."""
        receipt = decide(
            self._log,
            PRICES_ID,
            _prices,
            lambda prices: add_price(
                prices, command.provider, command.model, command.valid_from, command.valid_to, command.prices, cause
            ),
            facts=lambda prices, new: {"price_id": prices.version + len(new)},
            identified=identified,
        )
        self._pricing.known.expire()
        return receipt

    def reprice(self, command: RepriceCosts, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Correct the costs that differ, an append an execution; a repetition goes on where it was interrupted.

        Facts hold the sums before and after, by currency, and the first differences.
        """
        done: list[tuple[UUID, Correction]] = []
        for execution_id, versions in command.uses.items():
            if command.dry_run:
                found = self._corrections(execution_id, versions)
            else:
                found = self._correct(execution_id, versions, command.reason, cause)
            done += [(execution_id, each) for each in found if each.changes]
        facts = _facts([each for _, each in done]) | {"items": [_item(*each) for each in done[:MOST_SHOWN]]}
        if command.dry_run:
            return Receipt(PRICES_ID, self._log.last_position(), facts)
        difference = [Money(Decimal(each["amount"]), each["currency"]) for each in facts["difference"]]
        return decide(
            self._log,
            PRICES_ID,
            _prices,
            lambda _: record_repricing(command.period, command.reason, len(done), difference, cause) if done else [],
            facts=lambda _prices, _new: facts,
            identified=identified,
        )

    def _correct(self, execution_id: UUID, versions: Sequence[int], reason: str, cause: Cause) -> list[Correction]:
        found: list[Correction] = []

        def decision(execution: Execution) -> Unfolding:
            # The stream is at least as long as the state; if it is longer, the append meets a conflict.
            found[:] = self._corrections(execution_id, versions)
            return correct_costs(execution, found, reason, cause)

        self._executions.decide(execution_id, decision)
        return found

    def _corrections(self, execution_id: UUID, versions: Sequence[int]) -> list[Correction]:
        """Return the costs of an execution with their new prices."""
        chosen = set(versions)
        booked: dict[int, CostRecorded] = {}
        counts: dict[int, Money | None] = {}
        for version, event in enumerate(self._log.stream(execution_id), 1):
            if isinstance(event, CostRecorded) and version in chosen:
                booked[version], counts[version] = event, event.cost
            elif isinstance(event, CostCorrected) and event.recorded in chosen:
                counts[event.recorded] = event.after
        prices, table = self._pricing.known.list(), self._pricing.table
        return [
            Correction(event, version, counts[version], calculate(_metered(event), prices, table))
            for version, event in booked.items()
        ]


def _prices(events: Any) -> PriceList:
    return fold(PriceList(), events)


def _metered(event: CostRecorded) -> Metered:
    """Return the use that was booked, without its price."""
    metered = Metered(
        provider=event.provider,
        model=event.model,
        tokens=event.tokens,
        units=event.units,
        tier=event.tier,
        flags=[flag for flag in event.flags if flag in OF_REPORT],
        called_at=event.called_at or event.at,
    )
    return metered if metered.tokens or metered.units else replace(metered, flags=[*metered.flags, USAGE_MISSING])


def _facts(done: Sequence[Correction]) -> dict[str, Any]:
    old, new, changed = dict[str, Decimal](), dict[str, Decimal](), dict[str, Decimal]()
    for each in done:
        after = each.priced.calculated
        for sums, amounts in ((old, [each.before]), (new, [after]), (changed, differences(each.before, after))):
            for money in amounts:
                if money is not None:
                    sums[money.currency] = add(sums.get(money.currency, Decimal(0)), money.amount)
    return {
        "corrected": len(done),
        "newly_priced": sum(each.before is None for each in done),
        "old": _amounts(old),
        "new": _amounts(new),
        "difference": _amounts(changed),
    }


def _item(execution_id: UUID, each: Correction) -> dict[str, Any]:
    booked = each.booked
    return {
        "execution_id": str(execution_id),
        "step": booked.step,
        "attempt": booked.attempt,
        "recorded": each.recorded,
        "before": _money(each.before),
        "after": _money(each.priced.calculated),
        "price_source": each.priced.calculated_by,
    }


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": f"{money.amount:f}", "currency": money.currency}


def _amounts(sums: dict[str, Decimal]) -> list[dict[str, str]]:
    return [{"amount": f"{amount:f}", "currency": currency} for currency, amount in sorted(sums.items())]
