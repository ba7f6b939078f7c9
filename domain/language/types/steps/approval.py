"""The step type `human_approval`: a person decides whether the process may go on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from domain.language.expressions import TextTemplate, ValueTemplate, parse_template, parse_value
from domain.language.types.parts import TemplateText
from domain.language.types.quantities import Duration
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.step import Step

MAX_APPROVERS = 100
MAX_ARTIFACTS = 100
# The names under which people act.
APPROVER = r"^[A-Za-z0-9._@-]{1,64}$"

OnDeadline = Literal["reject", "approve", "skip"]
_NAME = {"type": "string", "pattern": APPROVER}
_NAMES = {"anyOf": [_NAME, {"type": "array", "items": _NAME, "maxItems": MAX_APPROVERS}]}
Approvers = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=APPROVER)], ...],
    Field(strict=False, max_length=MAX_APPROVERS),
    WithJsonSchema(_NAMES),
]


class HumanApproval(Step):
    """An approval. approvers: the people who may decide, empty for anybody.

    artifacts: values to show, with templates inside. deadline: time to decide; on_deadline: the decision that counts
    after it. require_reason: each decision needs a comment.
    """

    also: ClassVar[dict[str, str]] = {
        "assignees": "approvers",
        "message": "description",
        "timeout": "deadline",
        "timeout_action": "on_deadline",
    }
    listed: ClassVar[tuple[str, ...]] = ("approvers", "artifacts")
    listed_objects: ClassVar[tuple[str, ...]] = ("artifacts",)
    templates: ClassVar[tuple[str, ...]] = ("title", "description", "artifacts")
    takes_defaults: ClassVar[bool] = False

    type: Literal["human_approval"]
    approvers: Approvers = ()
    title: TemplateText | None = None
    description: TemplateText | None = None
    artifacts: Annotated[tuple[Any, ...], Field(strict=False, max_length=MAX_ARTIFACTS)] = ()
    deadline: Duration | None = None
    on_deadline: OnDeadline = "reject"
    require_reason: bool = False

    def plan(self, planned: Planned) -> "PlannedApproval":
        """Return the step for the engine, with everything parsed."""
        return PlannedApproval(
            **planned.common(),
            approvers=self.approvers,
            title=self.name or self.id if self.title is None else parse_template(self.title),
            description=parse_template(self.description or ""),
            artifacts=parse_value(list(self.artifacts)),
            deadline=self.deadline,
            on_deadline=self.on_deadline,
            require_reason=self.require_reason,
        )


@dataclass(frozen=True, slots=True)
class PlannedApproval(Planned):
    """An approval for the engine.

    title, description and artifacts are rendered when the step is reached; the last to a list. A title that is text is
    no template. approvers: empty for anybody. deadline: None for no limit.
    """

    approvers: tuple[str, ...]
    title: TextTemplate | str
    description: TextTemplate
    artifacts: ValueTemplate
    deadline: timedelta | None
    on_deadline: OnDeadline
    require_reason: bool

    def may_decide(self, actor: str, teams: Collection[str] = ()) -> bool:
        """Return whether `actor` (``user:ann``) or a team of its is one of the approvers."""
        return not self.approvers or not {actor.removeprefix("user:"), *teams}.isdisjoint(self.approvers)
