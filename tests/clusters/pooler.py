"""PgBouncer between the tests' processes and a node."""

import os
import shutil
import subprocess
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from tests.clusters.node import NAME, Cluster, Node
from tests.ports import free_port
from tests.waiting import until

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
{more}
"""


def require_pooler() -> None:
    """Skip the test where PgBouncer is not installed; CI needs it."""
    if PROGRAM is None:
        assert not os.environ.get("POOLER_REQUIRED"), "CI needs pgbouncer"
        pytest.skip("pgbouncer is not installed: apt install pgbouncer")


class Pooler:
    """A PgBouncer before a node. mode: ``session`` or ``transaction``. size: its connections to the node."""

    def __init__(self, cluster: Cluster, node: Node, mode: str, *, size: int = 20, **more: str) -> None:
        require_pooler()
        self._port = free_port()
        file = cluster.folder / f"pgbouncer-{self._port}.ini"
        lines = "\n".join(f"{name} = {value}" for name, value in more.items())
        file.write_text(CONFIGURATION.format(node=node.port, port=self._port, mode=mode, size=size, more=lines))
        file.chmod(0o644)
        with file.with_suffix(".log").open("ab") as log:
            self._process: subprocess.Popen[bytes] = cluster.popen([str(PROGRAM), file], (), log)
        until(self._accepts)

    @property
    def dsn(self) -> str:
        """The address of the node's database through the pooler."""
        return conninfo.make_conninfo(
            host="127.0.0.1", port=self._port, dbname=NAME, user="postgres", connect_timeout=5
        )

    def _accepts(self) -> bool:
        assert self._process.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(self.dsn).close()
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """End the pooler."""
        self._process.kill()
        self._process.wait(60)

    def __enter__(self) -> "Pooler":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
