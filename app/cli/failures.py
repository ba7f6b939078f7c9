"""The failure of a command, and the exit codes."""

FAILED, USAGE, UNAVAILABLE = 1, 2, 3


class Failure(Exception):
    """A command has not done its work. code: for programs."""

    def __init__(self, code: str, message: str, *, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = exit_code
