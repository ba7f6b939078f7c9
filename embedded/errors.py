"""The one error that says why no embedded PostgreSQL can be had here, and what to do instead."""


class EmbeddedPostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot run here; set DATABASE_URL to use a PostgreSQL server of your own."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL is not available: {reason.rstrip('.')}. "
            "Set DATABASE_URL to use a PostgreSQL server of your own."
        )
