"""A log on a database of one's own."""

from collections.abc import Iterator

import pytest

from store.datastore import Datastore
from store.log import Log


@pytest.fixture
def log(datastore: Datastore) -> Iterator[Log]:
    """The log of an empty database."""
    opened = Log(datastore)
    yield opened
    opened.close()
