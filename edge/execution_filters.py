"""The filters of executions by their words: a query states them as parameters, a batch as an object."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from edge.parameters import (
    SEVERAL,
    BatchReferences,
    ExecutionReferences,
    InstantParameter,
    Numbers,
    Parameters,
    ProcessReferences,
    Values,
    one_of,
)
from edge.references import END_OF_ID, batch_named, execution_named, process_named
from queries.executions import AWAITED_KINDS, STATUSES, ExecutionFilter


def _of_a_process(keys: list[str], info: ValidationInfo) -> list[str]:
    if keys and not info.data.get("process"):
        raise ValueError("a key is that of a line of a process: state `process` too")
    return keys


class ExecutionWords(Parameters):
    """The words that filter executions, in a query and in the body of a batch."""

    process: ProcessReferences = []
    version: Annotated[Numbers, Field(description=f"Published versions. {SEVERAL}")] = []
    status: Annotated[Values, one_of(STATUSES), Field(description=", ".join(STATUSES))] = []
    trigger: Annotated[
        Values, Field(description=f"What started them: manual, webhook, sub_process (children). {SEVERAL}")
    ] = []
    parent: Annotated[ExecutionReferences, Field(description=f"Ids of parents: their children. {SEVERAL}")] = []
    parent_step: Annotated[Values, Field(description=f"Steps of their parents that started them. {SEVERAL}")] = []
    root: Annotated[ExecutionReferences, Field(description=f"Ids of roots: their execution trees. {SEVERAL}")] = []
    waiting_for: Annotated[
        Values,
        one_of(AWAITED_KINDS),
        Field(description=f"What they wait for now: {', '.join(AWAITED_KINDS)}. {SEVERAL}"),
    ] = []
    include_children: Annotated[
        bool,
        Field(
            description="Lists executions that others started too. The filters parent, root, batch and trigger "
            "sub_process list them in any case."
        ),
    ] = False
    q: Annotated[
        str,
        Field(
            pattern=END_OF_ID,
            description="The end of an id, four characters or more. Lists executions that others started too.",
        ),
    ] = ""
    started_from: Annotated[InstantParameter | None, Field(alias="from", description="Started then or later.")] = None
    started_to: Annotated[InstantParameter | None, Field(alias="to", description="Started before.")] = None
    ended_from: Annotated[InstantParameter | None, Field(description="Ended then or later.")] = None
    ended_to: Annotated[InstantParameter | None, Field(description="Ended before.")] = None
    called_from: Annotated[
        InstantParameter | None,
        Field(description="A call with a price began then or later, of the tree as for `cost`."),
    ] = None
    called_to: Annotated[InstantParameter | None, Field(description="Such a call began before.")] = None
    batch: Annotated[
        BatchReferences,
        Field(description=f"Ids of batches: the executions of their lists. {SEVERAL}"),
    ] = []
    slot_key: Annotated[
        Values,
        AfterValidator(_of_a_process),
        Field(
            description="Keys of the lines in which they waited; with `process`. The line without a key is "
            f'`""`. {SEVERAL}'
        ),
    ] = []
    label: Annotated[Values, Field(description=f"Labels of their processes, in the version that runs. {SEVERAL}")] = []
    failure: Annotated[Values, Field(description=f"Codes of the errors with which they failed. {SEVERAL}")] = []
    failed_step: Annotated[Values, Field(description=f"Steps at which they failed, - for none. {SEVERAL}")] = []
    ran_step: Annotated[Values, Field(description=f"Steps that are completed. {SEVERAL}")] = []
    paid_step: Annotated[
        Values, Field(description=f"Steps that are completed and cost something, every use with a price. {SEVERAL}")
    ] = []
    cost: Annotated[
        Literal["priced", "unpriced", "any"] | None,
        Field(
            description="priced: they cost something, and every use has a price; unpriced: some use has none; any: "
            "either. With the executions below them, unless include_children counts each by itself."
        ),
    ] = None
    currency: Annotated[
        str, Field(pattern="^([A-Z]{3})?$", description="Of the cost, an ISO 4217 code. Default: any.")
    ] = ""

    def filter(self, within: tuple[str, ...]) -> ExecutionFilter:
        """Return the filter of the query. within: the processes that the caller sees."""
        return ExecutionFilter(
            within=within,
            process_ids=[process_named(reference) for reference in self.process],
            versions=[int(version) for version in self.version],
            statuses=self.status,
            triggers=self.trigger,
            parents=[execution_named(id) for id in self.parent],
            parent_steps=self.parent_step,
            roots=[execution_named(id) for id in self.root],
            waiting_for=self.waiting_for,
            include_children=self.include_children,
            started_from=self.started_from,
            started_to=self.started_to,
            ended_from=self.ended_from,
            ended_to=self.ended_to,
            called_from=self.called_from,
            called_to=self.called_to,
            batches=[batch_named(id) for id in self.batch],
            slot_keys=self.slot_key,
            labels=self.label,
            failures=self.failure,
            failed_steps=self.failed_step,
            ran_steps=self.ran_step,
            paid_steps=self.paid_step,
            cost=self.cost or "",
            currency=self.currency,
            id_ends_with=self.q,
        )
