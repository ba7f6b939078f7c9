"""`procession set-aside`: executions about which no decision succeeds, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

Run = Callable[..., Any]


def test_they_are_listed_tried_again_and_cancelled(document: Run, procession: Run, hello: Path, database: str) -> None:
    assert document("set-aside", "list")["items"] == []
    id = document("start", "hello")["execution_id"]
    with psycopg.connect(database) as connection:
        connection.execute("select set_aside_v1(%s, 'KeyError: nowhere', %s, '{}')", (id, uuid4()))
    (item,) = document("set-aside", "list")["items"]
    assert (item["execution_id"], item["tries"], item["error"]) == (id, 1, "KeyError: nowhere")
    assert document("set-aside")["items"] == [item]
    assert id in procession("set-aside").stdout
    assert "KeyError: nowhere" in procession("set-aside", "list").stdout
    assert document("set-aside", "retry", id, "--reason", "mended")["execution_id"] == id
    assert document("set-aside", "cancel", id, "--reason", "enough")["new"] is True
    assert document("set-aside", "list")["items"] == []
    for command in ("retry", "cancel"):
        refused = document("set-aside", command, id, "--reason", "again", code=1)
        assert refused["error"]["code"] == "not_set_aside"
    assert document("set-aside", "retry", "nothing", "--reason", "x", code=1)["error"]["code"] == "not_found"
