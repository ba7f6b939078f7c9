"""The step type `gateway`: chooses the steps that follow."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.language.expressions import Condition, parse_condition
from domain.language.types.parts import ConditionText, Part, StepId
from domain.language.types.steps.planned import Planned
from domain.language.types.steps.step import Step

MAX_ROUTES = 100

GatewayType = Literal["exclusive", "inclusive", "parallel"]


class Route(Part):
    """A route to a step. default: taken when no condition holds; such a route needs no condition itself."""

    also: ClassVar[dict[str, str]] = {"expression": "condition", "next": "target", "target_step": "target"}

    condition: ConditionText | bool | None = None
    target: StepId
    default: bool = False


class Gateway(Step):
    """exclusive: the first route whose condition holds; inclusive: each whose does; parallel: all of them."""

    also: ClassVar[dict[str, str]] = {"conditions": "routes"}
    takes_defaults: ClassVar[bool] = False

    type: Literal["gateway"]
    gateway_type: GatewayType = "exclusive"
    routes: Annotated[tuple[Route, ...], Field(strict=False, min_length=1, max_length=MAX_ROUTES)]
    default_route: StepId | None = None

    @property
    def default(self) -> str | None:
        """The target of the default route, None when there is none."""
        if self.gateway_type == "parallel":
            return None
        return self.default_route or next((route.target for route in self.routes if route.default), None)

    def goes_to(self) -> tuple[str, ...]:
        """Return the targets of its routes too."""
        default = () if self.default is None else (self.default,)
        return (*super().goes_to(), *(route.target for route in self.routes), *default)

    def plan(self, planned: Planned) -> "PlannedGateway":
        """Return the step for the engine, with everything parsed."""
        return PlannedGateway(
            **planned.common(),
            gateway_type=self.gateway_type,
            routes=tuple(planned_route for route in self.routes if (planned_route := self._plan_route(route))),
            default=self.default,
        )

    def _plan_route(self, route: Route) -> "PlannedRoute | None":
        """Return the planned route; None for an unconditional default, which is not evaluated with the others."""
        if self.gateway_type == "parallel":
            return PlannedRoute(route.target, None)
        condition = route.condition
        if condition is None:
            return None
        return PlannedRoute(route.target, parse_condition(condition) if isinstance(condition, str) else condition)


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """A route for the engine. condition: None for a route of a parallel gateway, and for no other."""

    target: str
    condition: Condition | bool | None


@dataclass(frozen=True, slots=True)
class PlannedGateway(Planned):
    """A gateway for the engine. routes: in order of evaluation. default: the target when no condition holds, or None.

    Several routes may lead to the same step, and so may the default.
    """

    gateway_type: GatewayType
    routes: tuple[PlannedRoute, ...]
    default: str | None
