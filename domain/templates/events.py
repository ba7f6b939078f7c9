"""Events of a template of the organisation; each class is stored under its own name for ever."""

from domain.event import Event, stored


@stored("TemplatePublished")
class TemplatePublished(Event, frozen=True, kw_only=True):
    """A template got its name and its first version; its author is the actor, and it is private.

    name: the part of its id after ``org:``. source: the whole document. title, description, tags, category: as the
    document states them. team: those who keep it together with its author; empty: nobody else. process: of which it was
    saved; process_version: 0 for its draft. needs: names of agents, secrets and channels, by kind.
    """

    name: str
    source: str
    title: str
    description: str = ""
    tags: list[str] = []
    category: str = ""
    team: str = ""
    process: str = ""
    process_version: int = 0
    needs: dict[str, list[str]] = {}


@stored("TemplateRevised")
class TemplateRevised(Event, frozen=True, kw_only=True):
    """The template has a further version; earlier ones stay as they are. It takes a withdrawal back.

    version: 2, 3, 4... The other fields are those of TemplatePublished.
    """

    name: str
    version: int
    source: str
    title: str
    description: str = ""
    tags: list[str] = []
    category: str = ""
    process: str = ""
    process_version: int = 0
    needs: dict[str, list[str]] = {}


@stored("TemplateShared")
class TemplateShared(Event, frozen=True, kw_only=True):
    """These see the template and may use it from now on: ``private``, ``team:NAME`` or ``organisation``."""

    name: str
    shared_with: str


@stored("TemplateWithdrawn")
class TemplateWithdrawn(Event, frozen=True, kw_only=True):
    """Nobody begins anything from the template any more; what was made from it stays as it is."""

    name: str
    reason: str
