"""The API leaves everything that it starts with out of garbage collections: each would go over 200,000 objects."""

import gc

from fastapi import FastAPI

from app.running import running
from app.settings import read_settings
from app.signals import Stopping
from app.sockets import listen
from app.wiring import Wiring


def test_no_collection_goes_over_the_applications_of_an_api(wiring: Wiring) -> None:
    with running(wiring, read_settings(), Stopping()) as roles, listen("127.0.0.1", 0) as bound:
        roles.start_api(bound)
        assert not [each for each in gc.get_objects() if type(each) is FastAPI]
        gc.unfreeze()
        assert [each for each in gc.get_objects() if type(each) is FastAPI]
