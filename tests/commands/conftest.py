"""A scenario on an empty database."""

from collections.abc import Iterator

import pytest

from store.datastore import Datastore
from tests.commands.scenario import Scenario


@pytest.fixture
def scenario(datastore: Datastore) -> Iterator[Scenario]:
    made = Scenario(datastore)
    yield made
    made.log.close()
