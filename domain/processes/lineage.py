"""The template that a process was made from."""

from typing import Any

import msgspec


class Lineage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of a template, and how it was filled in. template_id: ``bundled:NAME`` or ``org:NAME``.

    answers: the value of each parameter, defaults too; of a secret only its name. replaced_agents: by the agent of the
    template, the one that took its place.
    """

    template_id: str
    template_version: int
    answers: dict[str, Any] = {}
    replaced_agents: dict[str, str] = {}
