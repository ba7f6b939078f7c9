"""Failed executions in groups of the same process and error, the newest first."""

from collections.abc import Iterable
from urllib.parse import urlencode

import msgspec

from queries.executions import FailedExecution


class FailureGroup(msgspec.Struct, frozen=True):
    """Executions of one process that failed with the same error code; empty for none. newest: of them."""

    process: str
    code: str
    number: int
    newest: FailedExecution

    @property
    def href(self) -> str:
        """The list of these executions."""
        stated = {"status": "failed", "process": self.process, "failure": self.code}
        return f"/executions?{urlencode({name: value for name, value in stated.items() if value})}"


def group_failures(failed: Iterable[FailedExecution]) -> list[FailureGroup]:
    """Return failed executions, the newest first, in groups."""
    groups: dict[tuple[str, str], list[FailedExecution]] = {}
    for each in failed:
        groups.setdefault((each.process, each.error.code if each.error else ""), []).append(each)
    return [FailureGroup(process, code, len(each), each[0]) for (process, code), each in groups.items()]
