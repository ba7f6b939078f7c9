"""The cost of one execution by step and attempt, folded from the events of its stream."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.costs.flags import OF_REPORT
from domain.costs.unit_prices import UnitPrices
from domain.costs.usage import TokenClasses
from domain.executions.events.outcomes import COMPLETED
from queries.amounts import Amount
from queries.definitions import Definitions
from queries.estimates import StepEstimate, step_estimate
from queries.exchange import Question, answer
from queries.execution_detail import DETAIL, ExecutionCost, ExecutionDetail, get_execution
from queries.families import sums
from queries.prices import UnitPricesView, unit_prices_view
from queries.progress import LOG
from queries.reading import Freshness, Reading
from queries.repetitions import ITEMS_AND_ROUNDS, events_outside
from queries.steps import StepView

MOST_USES = 10_000
"""Of an execution with more uses, the newest are shown."""

_USES = f"""select originator_version as version, topic, convert_to(json_build_object(
    'at', e -> 'at', 'actor', e -> 'actor', 'step', e -> 'step', 'attempt', e -> 'attempt', 'agent', e -> 'agent',
    'cost', e -> 'cost', 'called_at', e -> 'called_at', 'provider', coalesce(e -> 'provider', '""'),
    'model', coalesce(e -> 'model', '""'), 'tokens', e -> 'tokens', 'units', coalesce(e -> 'units', '{{}}'),
    'tier', coalesce(e -> 'tier', '""'), 'usage_id', coalesce(e -> 'usage_id', '""'), 'reported', e -> 'reported',
    'calculated', e -> 'calculated', 'unit_prices', e -> 'unit_prices',
    'calculated_by', coalesce(e -> 'calculated_by', '""'), 'price_source', coalesce(e -> 'price_source', '""'),
    'flags', coalesce(e -> 'flags', '[]'), 'recorded', coalesce(e -> 'recorded', '0'), 'before', e -> 'before',
    'after', e -> 'after', 'reason', coalesce(e -> 'reason', '""'),
    'usage', case when e -> 'usage' is not null then json_build_object(
      'input_tokens', coalesce(e #> '{{usage,input_tokens}}', '0'),
      'output_tokens', coalesce(e #> '{{usage,output_tokens}}', '0'),
      'cached_tokens', coalesce(e #> '{{usage,cached_tokens}}', '0')) end)::text, 'UTF8') as state
from {events_outside(ITEMS_AND_ROUNDS, "topic in ('CostRecorded', 'CostCorrected')", MOST_USES)}
cross join lateral (select convert_from(state, 'UTF8')::json as e) read order by originator_version"""


class CorrectionView(msgspec.Struct, frozen=True):
    """A correction of a cost. before, after: null: not priced."""

    at: datetime
    actor: str
    reason: str
    before: Amount | None
    after: Amount | None
    price_source: str


class UseTokens(msgspec.Struct, frozen=True):
    """Disjoint counts of tokens; reasoning is a part of output."""

    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    reasoning: int


class UseView(msgspec.Struct, frozen=True):
    """One use of one attempt. amount: counts now, exact; null: not priced. booked: as it was recorded.

    retry: another attempt was made before. outcome: of the attempt. reported, calculated: both, where both are known.
    price_source: of `amount`: reported, override, or the table with its version. flags: what is missing, impossible
    or assumed. unit_prices: of the calculation. tokens: null: not known.
    """

    attempt: int
    agent: str
    outcome: str | None
    retry: bool
    provider: str | None
    model: str | None
    tier: str | None
    usage_id: str | None
    tokens: UseTokens | None
    units: dict[str, int]
    amount: str | None
    currency: str | None
    unit_prices: UnitPricesView | None
    price_source: str | None
    reported: Amount | None
    calculated: Amount | None
    booked: Amount | None
    flags: list[str]
    called_at: datetime
    recorded: int
    corrections: list[CorrectionView]


class StepCosts(msgspec.Struct, frozen=True):
    """The uses of a step. success: the cost of the attempt that completed it; without_success: of all others."""

    step: str
    attempts: list[UseView]
    total: list[Amount]
    success: list[Amount]
    without_success: list[Amount]
    unpriced: int


class ExecutionCosts(msgspec.Struct, frozen=True):
    """The cost of one execution by step and attempt. partial: `total.unpriced` uses have no price: no sum has them.

    still_to_come: estimates of steps that have not ended; no sum has them.
    """

    execution_id: UUID
    total: ExecutionCost
    partial: bool
    steps: list[StepCosts]
    still_to_come: list[StepEstimate]
    as_of_position: int
    lag_seconds: float

    @property
    def about_to_come(self) -> list[Amount]:
        """The sum of the medians of all that is to come and has enough history."""
        return sums((each.currency, Decimal(each.amount)) for step in self.still_to_come for each in step.median or ())


class _UsedTokens(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class _Money(msgspec.Struct):
    amount: Decimal
    currency: str


class _Booked(msgspec.Struct, kw_only=True):
    at: datetime
    actor: str
    step: str
    attempt: int
    agent: str | None = None
    usage: _UsedTokens | None = None
    cost: _Money | None = None
    called_at: datetime | None = None
    provider: str = ""
    model: str = ""
    tokens: TokenClasses | None = None
    units: dict[str, int] = {}
    tier: str = ""
    usage_id: str = ""
    reported: _Money | None = None
    calculated: _Money | None = None
    unit_prices: UnitPrices | None = None
    calculated_by: str = ""
    price_source: str = ""
    flags: list[str] = []
    recorded: int = 0
    before: _Money | None = None
    after: _Money | None = None
    reason: str = ""


_decode_booked = msgspec.json.Decoder(_Booked).decode


def get_execution_costs(
    reading: Reading, definitions: Definitions, execution_id: UUID, *, min_position: int | None = None
) -> ExecutionCosts:
    """Return the cost of one execution by step and attempt, from its events. Raises NotFound or NotYet."""
    return answer(reading, costs_of(get_execution(reading, definitions, execution_id, min_position=min_position)))


def costs_of(execution: ExecutionDetail) -> Question[ExecutionCosts]:
    """Return the question for the cost of an execution by step and attempt, as of the same position."""

    def view(rows: list[DictRow], _: Freshness) -> ExecutionCosts:
        return _costs(execution, rows)

    return Question(LOG, _USES, {"id": execution.execution_id, "position": execution.as_of_position}, view, (DETAIL,))


def _costs(execution: ExecutionDetail, rows: list[DictRow]) -> ExecutionCosts:
    outcomes = {(step.id, each.attempt): each.status for step in execution.steps for each in step.attempt_list}
    uses: dict[int, tuple[_Booked, list[_Booked]]] = {}
    for row in rows:
        event = _decode_booked(row["state"])
        if row["topic"] == "CostRecorded":
            uses[row["version"]] = event, []
        elif event.recorded in uses:
            uses[event.recorded][1].append(event)
    steps: dict[str, list[UseView]] = {}
    for recorded, (booked, corrections) in uses.items():
        view = _use(booked, corrections, recorded, outcomes.get((booked.step, booked.attempt)))
        steps.setdefault(booked.step, []).append(view)
    found = [
        _step(step, sorted(steps[step], key=lambda use: use.attempt)) for step in _in_order(execution.steps, steps)
    ]
    return ExecutionCosts(
        execution.execution_id,
        execution.cost,
        execution.cost.unpriced > 0,
        found,
        _still_to_come(execution),
        execution.as_of_position,
        execution.lag_seconds,
    )


def _still_to_come(execution: ExecutionDetail) -> list[StepEstimate]:
    """Return the estimates of the steps that have not ended, while the execution runs."""
    return [step_estimate(step.id, step.estimate) for step in execution.steps if step.estimate is not None]


def _use(booked: _Booked, corrections: list[_Booked], recorded: int, outcome: str | None) -> UseView:
    last = corrections[-1] if corrections else None
    counts = booked.cost if last is None else last.after
    tokens, usage = booked.tokens, booked.usage
    if tokens is None and usage is not None and not booked.flags:
        read = min(usage.cached_tokens, usage.input_tokens)
        tokens = TokenClasses(usage.input_tokens - read, read, output=usage.output_tokens)
    source = booked.price_source or ("reported" if booked.cost is not None else "")
    prices = booked.unit_prices
    if last is not None:
        source, prices = last.price_source, last.unit_prices
    flags = booked.flags if last is None else [flag for flag in booked.flags if flag in OF_REPORT]
    plain_report = booked.cost if source == "reported" and booked.reported is None else booked.reported
    return UseView(
        attempt=booked.attempt,
        agent=booked.agent or "",
        outcome=outcome,
        retry=booked.attempt > 1,
        provider=booked.provider or None,
        model=booked.model or None,
        tier=booked.tier or None,
        usage_id=booked.usage_id or None,
        tokens=None if tokens is None else UseTokens(*(getattr(tokens, n) for n in UseTokens.__struct_fields__)),
        units=booked.units,
        amount=None if counts is None else f"{counts.amount:f}",
        currency=None if counts is None else counts.currency,
        unit_prices=None if prices is None else unit_prices_view(prices),
        price_source=source or None,
        reported=_amount(plain_report),
        calculated=_amount(booked.calculated),
        booked=_amount(booked.cost),
        flags=flags,
        called_at=booked.called_at or booked.at,
        recorded=recorded,
        corrections=[
            CorrectionView(c.at, c.actor, c.reason, _amount(c.before), _amount(c.after), c.price_source)
            for c in corrections
        ],
    )


def _step(step: str, uses: list[UseView]) -> StepCosts:
    spent = [(use, (use.currency, Decimal(use.amount))) for use in uses if use.amount is not None and use.currency]
    return StepCosts(
        step,
        uses,
        sums(amount for _, amount in spent),
        sums(amount for use, amount in spent if use.outcome == COMPLETED),
        sums(amount for use, amount in spent if use.outcome != COMPLETED),
        sum(use.amount is None and _counts(use) for use in uses),
    )


def _counts(use: UseView) -> bool:
    """Return whether a use without an amount stands for one that costs something."""
    return bool(use.flags) or (
        use.tokens is not None and bool(use.tokens.input + use.tokens.cache_read + use.tokens.output)
    )


def _amount(money: _Money | None) -> Amount | None:
    return None if money is None else Amount(f"{money.amount:f}", money.currency)


def _in_order(planned: list[StepView], found: dict[str, list[UseView]]) -> list[str]:
    order = [step.id for step in planned]
    return [step for step in order if step in found] + [step for step in found if step not in order]
