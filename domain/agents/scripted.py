"""The configuration of agents that run a script inside the worker."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from domain.agents.configuration import AgentConfiguration
from domain.agents.fields import AgentDuration, Answers, Config, Cost, Text, Tokens
from domain.refusal import Problem


def _absolute(path: str) -> str:
    if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("the path of a file is absolute and has no ..")
    return path


def _usage_mode(value: object) -> object:
    return "none" if value is None else value


def _usage_form(value: object) -> str:
    return "usage as a word" if isinstance(value, str) else "usage in numbers"


class ScriptedError(Config):
    """The answer of a failing script."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = "agent_error"
    message: Text = "the script says so"
    permanent: bool = False
    retry_after: AgentDuration | None = None


class ScriptedConfig(AgentConfiguration):
    """An agent that runs inside the worker and uses no network.

    script: ``echo`` answers the message; ``json_echo`` answers ``{agent, step, attempt, message, parameters}``;
    ``fail`` fails with `error`; ``flaky`` fails its first `failures` attempts (default 1), then echoes; ``slow`` echoes
    after `delay` (default 1s); ``answers`` answers from `answers`: of a list the item of the attempt (after its end the
    last one again), of an object the value under the step's id, else the one under ``*``.
    usage: ``counted`` (made up but exact: the words of message and answer, see ``gateway.scripted``), ``none`` or null,
    or fixed counts. cost: reported for every call. delay: passes before the answer. record: absolute path of a file to
    which every call appends its idempotency key and a line feed.
    """

    kind: Literal["scripted"] = "scripted"
    script: Literal["echo", "json_echo", "fail", "flaky", "slow", "answers"]
    usage: Annotated[
        Annotated[Literal["counted", "none"], Tag("usage as a word")] | Annotated[Tokens, Tag("usage in numbers")],
        Discriminator(_usage_form),
        BeforeValidator(_usage_mode),
    ] = "counted"
    cost: Cost | None = None
    delay: AgentDuration | None = None
    answers: Answers = None
    error: ScriptedError | None = None
    failures: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    record: Annotated[Text, AfterValidator(_absolute)] | None = None

    def problems(self) -> list[Problem]:
        """Return the problems between fields."""
        problems = []
        if self.script == "answers" and not self.answers:
            problems.append(Problem("missing", "the script answers needs at least one answer", "answers"))
        for key, scripts in _ONLY_WITH.items():
            if getattr(self, key) is not None and self.script not in scripts:
                problems.append(
                    Problem("not_applicable", f"{key} means something to {' and '.join(scripts)} only", key)
                )
        return problems


_ONLY_WITH = {"answers": ("answers",), "error": ("fail", "flaky"), "failures": ("flaky",)}
