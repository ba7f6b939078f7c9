"""The step type `human_approval`: a person looks at something, and says whether the process may go on."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from domain.language.expressions import Template, ValueTemplate, parse_template, parse_value
from domain.language.types.parts import TemplateText
from domain.language.types.quantities import Duration
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.step import Step

MAX_APPROVERS = 100
MAX_ARTIFACTS = 100
# The names that people can act under.
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
    """approvers: who may decide, anybody when nobody is named. artifacts: values to look at, with templates inside.

    deadline: how long they have; on_deadline: what counts as decided after that. require_reason: no decision without
    a comment.
    """

    also: ClassVar[dict[str, str]] = {
        "assignees": "approvers",
        "message": "description",
        "timeout": "deadline",
        "timeout_action": "on_deadline",
    }
    listed: ClassVar[tuple[str, ...]] = ("approvers",)
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
        """The step for the engine, with everything parsed."""
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
    """title, description and artifacts are rendered when the step is reached; the last to a list.

    A title that is text is no template. approvers: empty for anybody. deadline: None for no limit.
    """

    approvers: tuple[str, ...]
    title: Template | str
    description: Template
    artifacts: ValueTemplate
    deadline: timedelta | None
    on_deadline: OnDeadline
    require_reason: bool

    def may_decide(self, actor: str) -> bool:
        """Whether `actor` (``user:ann``) is one of those who may decide."""
        return not self.approvers or actor.removeprefix("user:") in self.approvers
