"""The error of a database that cannot be used."""


class DatabaseUnsuitable(RuntimeError):
    """The server, the database, or a pooler between lacks something that Procession needs. The text names all of it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"this database cannot be used: {'; '.join(problems)}")
        self.problems = problems
