"""Definitions as hypothesis draws them: each is printed as it is read, and nothing is wrong with it."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from domain.language.types.definition import Defaults, Definition, InputField, OutputDefinition
from domain.language.types.parts import ABSENT, Part
from domain.language.types.quantities import MoneyLimit
from domain.language.types.slots import SlotLimit
from domain.language.types.steps import (
    AgentTask,
    AnyStep,
    ForEach,
    Gateway,
    HumanApproval,
    Notification,
    Repeat,
    Retry,
    Roles,
    SubProcess,
    Timer,
)
from domain.language.types.steps.compensation import CompensatingNotification, CompensatingTask
from domain.language.types.steps.fallback import Goto, GotoStep
from domain.language.types.steps.gateway import Route
from tests.domain.language.drawn_schedules import costs, durations, triggers

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=40).filter(lambda text: "{{" not in text)
lines = st.text(characters, min_size=1, max_size=20)
UNQUOTED = "yes 1e3 0o7 0x1F ~ null True .inf 09:00 << ' \" % !x &a *a 1_0 = --- # - [ { ? : | > é @ `"
TRICKY = UNQUOTED.split()
TRICKY += ["a\n  b\n\n", "a \nb", "a\n\n\nb\n", "a\r\nb"]
TRICKY += ["- a", "a: b", " x ", "\n", "a\n\n b\n", "a\nb", "", "\x85\u2028", "\t", "\ufeff", "a #b"]
tricky = st.sampled_from(TRICKY)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | tricky, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts | tricky, values, max_size=3)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
slot_limits = st.builds(
    SlotLimit, limit=st.integers(1, 1_000_000), per=st.none() | st.sampled_from(["{{ 'a' }}", "of {{ 1 }}", "{{ 7 }}"])
)
fields = st.builds(
    InputField,
    required=st.booleans(),
    description=st.none() | texts.filter(bool),
    default=values,
) | st.builds(InputField, type=st.sampled_from(["string", "integer", "object"]), required=st.booleans())


step_ids = st.from_regex(r"[a-z][a-z0-9_-]{0,6}[a-z0-9]", fullmatch=True)

retries = st.sampled_from(
    [
        None,
        Retry(),
        Retry(max_attempts=3, backoff="linear", max_delay=timedelta(hours=1)),
        Retry(max_attempts=9, delay=timedelta(), backoff="exponential", multiplier=1.5, retry_on=("a", "b")),
        Retry(max_attempts=2, give_up_on=("1e3", "no")),
    ]
)
conditions = st.sampled_from([True, False, "1 < 2", "not execution.id == 'a: b'"])


def gotos(part: type[Part], key: str, later: list[str]) -> st.SearchStrategy[Any]:
    return st.builds(part, **{key: st.sampled_from(later)}) if later else st.none()


messages = texts.filter(bool) | tricky.filter(bool) | st.just("{{ process.name }}")
deliveries: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "message": messages,
        "channel": st.permutations(("webhook", "slack", "email")).map(tuple),
        "recipients": st.sampled_from([("a@x.org",), ("{{ execution.id }}", "b@x.org, {{ process.name }}")]),
    },
    optional={
        "subject": st.sampled_from(["no", "{{ process.name }}: 1"]),
        "url": st.sampled_from(["http://x.org:8080/a?b=c", "{{ execution.id }}", "https://{{ process.name }}.org"]),
    },
) | st.fixed_dictionaries({"message": messages, "channel": st.sampled_from([("webhook",), ("slack", "webhook")])})
undone: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"retry": retries, "timeout": st.none() | durations, "total_timeout": st.sampled_from([None, timedelta(days=365)])}
)


@st.composite
def compensations(draw: st.DrawFn, agent: str) -> CompensatingTask | CompensatingNotification:
    given = draw(undone)
    if draw(st.booleans()):
        return CompensatingNotification(**given, type="notification", **draw(deliveries))
    output_schema = draw(st.sampled_from([None, {"type": "object"}]))
    asked = {"agent": agent, "message": draw(messages), "parameters": draw(objects), "output_schema": output_schema}
    return CompensatingTask(**given, type="agent_task", heartbeat=draw(st.none() | durations), **asked)


@st.composite
def commons(draw: st.DrawFn, step: str, earlier: list[str], later: list[str], undoer: str) -> dict[str, Any]:
    timeout = draw(st.none() | durations)
    return {
        "id": step,
        "name": draw(st.none() | lines | tricky.filter(bool)),
        "depends_on": tuple(draw(st.lists(st.sampled_from(earlier), unique=True))) if earlier else (),
        "condition": draw(st.none() | conditions),
        "timeout": timeout,
        "total_timeout": draw(st.sampled_from([None, timedelta(days=365)])),
        "on_timeout": draw(st.sampled_from([None, "fail", "skip"]) | gotos(Goto, "goto", later)) if timeout else None,
        "retry": draw(retries),
        "on_error": draw(st.sampled_from([None, "fail_process", "skip_step"]) | gotos(GotoStep, "goto_step", later)),
        "compensation": draw(st.none() | compensations(undoer)),
    }


@st.composite
def agent_tasks(draw: st.DrawFn, common: dict[str, Any], agents: list[str]) -> AgentTask:
    references = [f"{{{{ steps.{other}.output }}}}" for other in common["depends_on"]]
    return AgentTask(
        **common,
        type="agent_task",
        roles=draw(st.sampled_from([Roles(), Roles(monitors=(agents[1],), informed=(agents[2],))])),
        agent=agents[0],
        message=draw(texts.filter(bool) | tricky.filter(bool) | st.sampled_from(["{{ process.name }}", *references])),
        parameters=draw(objects),
        output_schema=draw(st.sampled_from([None, {}, {"type": "object", "required": ["no"]}])),
        heartbeat=draw(st.none() | durations),
        max_cost=draw(st.sampled_from([None, MoneyLimit(amount="0.050", currency="USD")])),
    )


@st.composite
def timers(draw: st.DrawFn, common: dict[str, Any]) -> Timer:
    times = [
        {"duration": draw(durations)},
        {"duration": timedelta()},
        {"duration": "{{ execution.id }}"},
        {"until": "2026-01-31T09:00:00+01:00"},
        {"until": "2026-01-31 09:00", "timezone": "Europe/Berlin"},
        {"until": "{{ execution.started_at }}", "timezone": "UTC"},
    ]
    return Timer(**common, type="timer", **draw(st.sampled_from(times)))


def approvals(common: dict[str, Any]) -> st.SearchStrategy[HumanApproval]:
    given = {**common, "type": "human_approval", "timeout": None, "on_timeout": None, "deadline": timedelta(hours=1)}
    given |= {"approvers": ("ann", "b@x.org"), "on_deadline": "skip", "require_reason": True, "title": "A?"}
    return st.lists(values, max_size=2).map(lambda some: HumanApproval(**given, artifacts=tuple(some)))


def notifications(common: dict[str, Any]) -> st.SearchStrategy[Notification]:
    return deliveries.map(lambda delivery: Notification(**common, type="notification", **delivery))


@st.composite
def for_eaches(draw: st.DrawFn) -> ForEach:
    name = draw(st.sampled_from(["item", "company", "a-b"]))
    return ForEach(
        **{"as": name},
        items=draw(st.lists(values, max_size=3) | st.just("{{ execution.id || [] }}")),
        max_parallel=draw(st.sampled_from([1, 10, 1_000])),
        on_error=draw(st.sampled_from(["fail", "skip", "collect"])),
        key=draw(st.sampled_from([None, f"{{{{ {name} }}}}: x"])),
    )


@st.composite
def repeats(draw: st.DrawFn) -> Repeat:
    return Repeat(
        until=draw(st.sampled_from(["round > 2", "last.output != null", "1 < 2 and round == 1"])),
        max=draw(st.integers(1, 10_000)),
        delay=draw(st.none() | durations),
        carry=draw(objects | st.just({"x": "{{ round }}", "y": ["{{ last.output }}"]})),
        on_exhausted=draw(st.sampled_from(["fail", "accept"])),
    )


@st.composite
def repetitions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the repetition of a call, and the input that the child is given with it."""
    kind = draw(st.sampled_from(["once", "for_each", "repeat"]))
    if kind == "once":
        return {"input_mapping": draw(objects)}
    if kind == "repeat":
        return {"repeat": draw(repeats()), "input_mapping": draw(objects)}
    found = draw(for_eaches())
    given = st.just({}) | st.just({"input_mapping": {}}) | st.just({"input_mapping": {"x": f"{{{{ {found.as_} }}}}"}})
    return {"for_each": found, **draw(given)}


def _is_optional(field: InputField) -> bool:
    return not field.required or field.default is not ABSENT


@st.composite
def bodies(draw: st.DrawFn, agents: list[str], depth: int) -> dict[str, Any]:
    """Draw the steps of a body, its input and its outputs."""
    ids = draw(st.lists(step_ids, min_size=1, max_size=2, unique=True))
    return {
        "input": draw(st.none() | st.dictionaries(names, fields.filter(_is_optional), max_size=2)),
        "steps": draw(step_lists(ids, agents, depth + 1)),
        "outputs": draw(outputs),
    }


@st.composite
def sub_processes(draw: st.DrawFn, common: dict[str, Any], agents: list[str], depth: int) -> SubProcess:
    more = {**draw(repetitions()), "output_key": draw(st.none() | names)}
    waits = not {"for_each", "repeat"} & more.keys() and not (
        common["timeout"] or common["total_timeout"] or common["retry"] or more["output_key"]
    )
    if depth < 2 and draw(st.booleans()):
        more |= draw(bodies(agents, depth))
        if more["input"] is not None:
            more |= {"input_mapping": {}}
            if "repeat" in more:
                more["repeat"] = more["repeat"].model_copy(update={"carry": {}})
    else:
        more["process"] = draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True))
        more["version"] = draw(st.none() | st.integers(1, 2_147_483_647))
    return SubProcess(
        **common,
        type="sub_process",
        on_parent_close=draw(st.sampled_from(["cancel", "abandon"])),
        wait=draw(st.booleans()) if waits else True,
        **more,
    )


@st.composite
def gateways(draw: st.DrawFn, common: dict[str, Any], later: list[str]) -> Gateway:
    targets = draw(st.lists(st.sampled_from(later), min_size=1, max_size=3, unique=True))
    kind = draw(st.sampled_from(["exclusive", "inclusive", "parallel"]))
    if kind == "parallel":
        routes = [Route(target=target) for target in targets]
        return Gateway(**common, type="gateway", gateway_type=kind, routes=tuple(routes))
    routes = [Route(target=target, condition=draw(conditions)) for target in targets]
    default = draw(st.sampled_from([None, *later]))
    if default is not None and draw(st.booleans()):
        routes.append(Route(target=default, default=True))
        default = None
    return Gateway(**common, type="gateway", gateway_type=kind, routes=tuple(routes), default_route=default)


@st.composite
def step_lists(draw: st.DrawFn, ids: list[str], agents: list[str], depth: int) -> tuple[AnyStep, ...]:
    """Draw the steps of a process, or of a body inside `depth` others."""
    steps: list[AnyStep] = []
    for at, step in enumerate(ids):
        later = ids[at + 1 :]
        common = draw(commons(step, ids[:at], later, agents[2]))
        kinds: list[st.SearchStrategy[Any]] = [agent_tasks(common, agents), timers(common), approvals(common)]
        kinds += [notifications(common), sub_processes(common, agents, depth)]
        steps.append(draw(st.one_of(*kinds, *([gateways(common, later)] if later else []))))
    return tuple(steps)


def _bare_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("input", "steps", "process", "trigger", "execution"))


sources = values.filter(lambda value: value is not None and not _bare_path(value))
outputs = st.dictionaries(names, sources, max_size=2).map(
    lambda found: tuple(OutputDefinition(name=name, source=source) for name, source in found.items())
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    ids = draw(st.lists(step_ids, min_size=1, max_size=4, unique=True))
    agents = draw(st.lists(lines, min_size=3, max_size=3, unique=True))
    declared = draw(st.none() | st.dictionaries(names, fields, max_size=3))
    steps = draw(step_lists(ids, agents, 0))
    return Definition(
        name=draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True)),
        description=draw(st.none() | texts | tricky),
        labels=tuple(draw(st.lists(lines, max_size=2))),
        version=draw(st.sampled_from([None, "1", "1.10", "beta"])),
        defaults=draw(
            st.none()
            | st.builds(
                Defaults,
                timeout=st.none() | durations,
                retry=retries,
                roles=st.sampled_from([Roles(), Roles(executor=agents[1], monitors=(agents[2],))]),
            )
        ),
        input=declared,
        max_running=draw(st.none() | st.integers(1, 1_000_000) | slot_limits),
        priority=draw(st.integers(-100, 100) | st.just("{{ 2 * 5 }}")),
        costs=draw(st.none() | costs),
        triggers=tuple(draw(triggers(declared))),
        steps=steps,
        outputs=draw(outputs),
    )
