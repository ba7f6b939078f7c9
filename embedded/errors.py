"""The one error for a missing embedded PostgreSQL, with its cause and the alternative."""


class EmbeddedPostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot run here; set DATABASE_URL to use a PostgreSQL server of your own."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL is not available: {reason.rstrip('.')}. "
            "Set DATABASE_URL to use a PostgreSQL server of your own."
        )
