"""The routes of gateways and their consistency."""

from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems

PARALLEL = "parallel"
_OTHERWISE = ("default", "else", "otherwise")
_WHILE_WAITING = ("timeout", "total_timeout", "on_timeout", "retry")


def gateway_type(step: Mapping) -> str | None:
    """Return the type of the gateway; None when the step is no gateway."""
    if text_of(step.entries.get("type")) != "gateway":
        return None
    return text_of(step.entries.get("gateway_type")) or "exclusive"


def routes_of(step: Mapping) -> list[Mapping]:
    """Return the routes of a canonical gateway; none of any other step."""
    routes = step.entries.get("routes") if gateway_type(step) is not None else None
    return [item for item in routes.items if isinstance(item, Mapping)] if isinstance(routes, Sequence) else []


def is_otherwise(condition: Node | None) -> bool:
    """Return whether a condition is a word for the route that is taken when no other is."""
    return (text_of(condition) or "").strip().lower() in _OTHERWISE


def check_routes(step: Mapping, problems: Problems) -> None:
    """Note fields without effect, conditions that are missing or not allowed, and defaults that differ."""
    for field in _WHILE_WAITING if gateway_type(step) is not None else ():
        if field in step.entries:
            message = f"a gateway ends at once, `{field}` means nothing here, it is ignored"
            problems.add("unused_field", message, step.keys.get(field, step), severity="warning")
    if gateway_type(step) == PARALLEL:
        _check_parallel(step, problems)
        return
    named = step.entries.get("default_route")
    default = text_of(named)
    defaults = [route for route in routes_of(step) if _is_default(route)]
    for route in defaults[1:]:
        problems.add("many_defaults", "a gateway has one default route", route.entries["default"])
    if named is not None and default is not None and defaults and text_of(defaults[0].entries.get("target")) != default:
        message = "`default_route` and the route with `default: true` lead to different steps"
        problems.add("defaults_differ", message, named, hint="keep one of the two")
    for route in routes_of(step):
        by_default = _is_default(route) or (default is not None and text_of(route.entries.get("target")) == default)
        condition = route.entries.get("condition")
        if condition is not None and is_otherwise(condition):
            message = f"`{text_of(condition)}` is no condition"
            problems.add("unknown_root", message, condition, hint="write `default: true` in place of the `condition`")
        if condition is None and not by_default:
            hint = "say when this route is taken, or `default: true`"
            problems.add("missing_field", "`condition` is required", route, hint=hint, below=".condition")


def _is_default(route: Mapping) -> bool:
    default = route.entries.get("default")
    return isinstance(default, Scalar) and default.value is True


def _check_parallel(step: Mapping, problems: Problems) -> None:
    seen: set[str] = set()
    for route in routes_of(step):
        for field in ("condition", "default"):
            if field in route.entries:
                _unused(route, field, problems)
        target = route.entries.get("target")
        name = text_of(target)
        if target is not None and name is not None:
            if name in seen:
                message = f"there is a route to `{name[:60]}` already"
                problems.add("duplicate_route", message, target, severity="warning")
            seen.add(name)
    if "default_route" in step.entries:
        _unused(step, "default_route", problems)


def _unused(part: Mapping, field: str, problems: Problems) -> None:
    message = f"a parallel gateway takes all its routes, `{field}` means nothing here"
    problems.add("unused_field", message, part.keys.get(field, part), severity="warning")
