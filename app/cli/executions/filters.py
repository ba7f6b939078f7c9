"""The options that filter executions: of the list, and of batches."""

from typing import Annotated

import typer

from domain.executions.waiting import AWAITED_KINDS
from queries.execution_conditions import COSTS
from queries.execution_list import STATUSES

ProcessOption = Annotated[list[str] | None, typer.Option(help="Of this process; repeatable.")]
StatusOption = Annotated[list[str] | None, typer.Option("--status", help=f"{', '.join(STATUSES)}; repeatable.")]
# The largest whole number of the columns that hold versions.
MAX_VERSION = 2**31 - 1
VersionOption = Annotated[list[int] | None, typer.Option(min=1, max=MAX_VERSION, help="Of this version; repeatable.")]
TriggerOption = Annotated[list[str] | None, typer.Option(help="Started by this type of trigger; repeatable.")]
ParentOption = Annotated[
    list[str] | None, typer.Option(metavar="EXECUTION", help="Started by this execution; repeatable.")
]
RootOption = Annotated[
    list[str] | None, typer.Option(metavar="EXECUTION", help="This execution and all below it; repeatable.")
]
WaitingForOption = Annotated[
    list[str] | None,
    typer.Option("--waiting-for", metavar="KIND", help=f"Waiting for {', '.join(AWAITED_KINDS)} now; repeatable."),
]
IncludeChildrenOption = Annotated[bool, typer.Option("--include-children", help="Also executions that others started.")]
StartedFromOption = Annotated[str | None, typer.Option("--from", help="Started at this time or later; ISO 8601.")]
StartedToOption = Annotated[str | None, typer.Option("--to", help="Started before this time; ISO 8601.")]
EndedFromOption = Annotated[str | None, typer.Option("--ended-from", help="Ended at this time or later; ISO 8601.")]
EndedToOption = Annotated[str | None, typer.Option("--ended-to", help="Ended before this time; ISO 8601.")]
CalledFromOption = Annotated[
    str | None, typer.Option("--called-from", help="With a priced call at this time or later; ISO 8601.")
]
CalledToOption = Annotated[
    str | None, typer.Option("--called-to", help="With a priced call before this time; ISO 8601.")
]
LabelOption = Annotated[list[str] | None, typer.Option(help="Of processes with this label; repeatable.")]
ParentStepOption = Annotated[
    list[str] | None, typer.Option("--parent-step", help="Started by this step of their parent; repeatable.")
]
BatchOption = Annotated[list[str] | None, typer.Option("--batch", help="In the list of this batch; repeatable.")]
SlotKeyOption = Annotated[
    list[str] | None,
    typer.Option("--slot-key", help="In the line of this key, with --process; '' for the one without; repeatable."),
]
FailureOption = Annotated[list[str] | None, typer.Option(help="Failed with this code; repeatable.")]
FailedStepOption = Annotated[list[str] | None, typer.Option("--failed-step", help="Failed at this step; repeatable.")]
RanStepOption = Annotated[list[str] | None, typer.Option("--ran-step", help="Completed this step; repeatable.")]
PaidStepOption = Annotated[
    list[str] | None, typer.Option("--paid-step", help="Completed this step, which cost something; repeatable.")
]
CostOption = Annotated[str | None, typer.Option(help=f"{', '.join(COSTS)}: whether the uses have a price.")]
CurrencyOption = Annotated[str, typer.Option(help="Of the cost; default: any, and USD for the order.")]
