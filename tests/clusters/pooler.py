"""PgBouncer between the tests' processes and a node."""

import os
import shutil

import pytest
from psycopg import conninfo

from tests.clusters.node import Cluster, Node, await_start
from tests.ports import free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin")
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={node} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
max_client_conn = 200
default_pool_size = {size}
"""


class Pooler:
    """A PgBouncer before a node. dsn: of the node's database, through it. mode: ``session`` or ``transaction``.

    size: its connections to the node.
    """

    def __init__(self, cluster: Cluster, node: Node, mode: str, *, size: int = 20) -> None:
        if PROGRAM is None:
            assert not os.environ.get("POOLER_REQUIRED"), "CI needs pgbouncer"
            pytest.skip("pgbouncer is not installed: apt install pgbouncer")
        port = free_port()
        self.dsn = conninfo.make_conninfo(node.dsn, port=port)
        file = cluster.folder / f"pgbouncer-{port}.ini"
        file.write_text(CONFIGURATION.format(node=node.port, port=port, mode=mode, size=size))
        file.chmod(0o644)
        with file.with_suffix(".log").open("ab") as log:
            self._process = cluster.popen([PROGRAM, file], (), log)
        await_start(self._process, self.dsn, file.with_suffix(".log"))

    def __enter__(self) -> "Pooler":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(60)
