"""The rows of analytics by agent: answers by the span in which the attempt ended, and costs by that of the call."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from domain.analytics.sketch import Buckets
from projections.analytics.rows import SpanRow, SpanTable
from projections.table import always, key, sketched, total


class AnswersRow(SpanRow):
    """Attempts of a step that were with an agent and ended, by its answer or by a time limit; not cancelled ones.

    code: of the error; empty: it answered well. worked: microseconds with the agent; sketch: of these times.
    """

    agent: Annotated[str, key("text")]
    process_id: Annotated[bytes, key("uuid")]
    version: Annotated[int, key("int")]
    step: Annotated[str, key("text")]
    code: Annotated[str, key("text")]
    n: Annotated[int, always("bigint")] = 0
    worked: Annotated[int, always("bigint")] = 0
    last_at: Annotated[datetime | None, always("timestamptz")] = None
    sketch: Annotated[Buckets, sketched()] = {}


class AgentSpendingRow(SpanRow):
    """The costs that a page adds, of calls of an agent that began in the span, within a process."""

    agent: Annotated[str, key("text")]
    process_id: Annotated[bytes, key("uuid")]
    currency: Annotated[str, key("text")]
    amount: Annotated[Decimal, total("numeric")] = Decimal(0)


# A list of agents reads the spans of each of them.
ANSWERS = SpanTable("analytics_answers", AnswersRow, leading=("agent", "grain", "begins"))
AGENT_SPENDING = SpanTable("analytics_agent_spending", AgentSpendingRow, leading=("agent", "grain", "begins"))
TABLES = (ANSWERS, AGENT_SPENDING)
INDEXES = (
    # The agents of a process, over days.
    "create index analytics_answers_process_idx on analytics_answers (process_id, begins) where grain = 1440",
)
