"""Servers of PostgreSQL on loopback, each in a folder of its own, that tests kill, freeze, promote and replicate."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import conninfo, sql

from embedded.accounts import server_account
from embedded.binaries import binaries_for
from tests.ports import free_port
from tests.postgresql_programs import programs
from tests.waiting import patiently, until

NAME = "procession"
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    # A killed server loses nothing that the operating system has; machines do not fail in these tests.
    "fsync": "off",
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "200ms",
    "jit": "off",
    "timezone": "UTC",
}
STREAMING = "select pid from pg_stat_replication where application_name = %s and state = 'streaming'"
SYNCHRONOUS = "select pid from pg_stat_replication where sync_state in ('sync', 'quorum')"
WRITTEN = "select case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end"


class Node:
    """One server. Its address stays the same through kills and starts."""

    def __init__(self, cluster: "Cluster", name: str, port: int) -> None:
        self.name, self.port = name, port
        self.data = cluster.folder / name
        self._cluster = cluster
        self._settings: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The address of the superuser."""
        return conninfo.make_conninfo(host="127.0.0.1", port=self.port, dbname=NAME, user="postgres", connect_timeout=5)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own; return its rows. Raises psycopg.Error."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(query, parameters or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def start(self, **settings: str) -> "Node":
        """Start the server, with `settings` from now on; return once it accepts connections."""
        self._settings |= settings
        arguments = [f"-c{name}={value}" for name, value in {**SETTINGS, **self._settings}.items()]
        with self.data.with_suffix(".log").open("ab") as log:
            command = [self._cluster.binaries.postgres, "-D", self.data, f"-p{self.port}"]
            self._process = self._cluster.popen(command, arguments, log)
        await_start(self._process, conninfo.make_conninfo(self.dsn, dbname="postgres"), self.data.with_suffix(".log"))
        return self

    def stop(self) -> None:
        """Stop the server: it ends its connections and writes everything out."""
        self._signalled(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL every process of the server."""
        for process in self._processes():
            process.kill()
        self._signalled(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop every process of the server where it is: connections stay, and nothing answers."""
        self._processes()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for process in reversed(self._processes()):
            process.resume()

    def _processes(self) -> list[psutil.Process]:
        """Return all processes of the server, frozen: the first one, frozen before, starts no more meanwhile."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        first.suspend()
        found = [first, *first.children(recursive=True)]
        for process in found:
            process.suspend()
        return found

    def _signalled(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def close(self) -> None:
        """End the server at once, in whatever state it is."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    # Replication

    def promote(self) -> None:
        """Make a standby a primary; return once it takes writes."""
        assert self.rows("select pg_promote(true, 60)") == [(True,)]

    def pause_replay(self) -> None:
        """Let a standby receive what the primary writes, and not show it."""
        self.rows("select pg_wal_replay_pause()")
        until(lambda: self.rows("select pg_get_wal_replay_pause_state()") == [("paused",)])

    def resume_replay(self) -> None:
        """End `pause_replay`."""
        self.rows("select pg_wal_replay_resume()")

    def set(self, **settings: str) -> None:
        """Change settings of the running server that need no start."""
        for name, value in settings.items():
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        self.rows("select pg_reload_conf()")

    def synchronous(self, names: str) -> None:
        """Set `synchronous_standby_names`, such as ``ANY 1 (two, three)``; return once standbys confirm commits."""
        self.set(synchronous_standby_names=names)
        until(lambda: (len(self.rows(SYNCHRONOUS)) > 0) == bool(names))

    def await_replay(self, primary: "Node") -> None:
        """Return once this standby shows all that `primary` has written until now."""
        ((written,),) = primary.rows(WRITTEN)
        until(lambda: self.rows("select pg_last_wal_replay_lsn() >= %s::pg_lsn", written) == [(True,)])

    def cut_off(self, primary: "Node") -> None:
        """End this standby when it has everything of now: it gets nothing that comes later."""
        self.await_replay(primary)
        self.stop()

    def take_over(self, primary: "Node") -> None:
        """Kill the primary, and promote this standby, which was cut off from it."""
        primary.kill()
        self.start()
        self.promote()


def both(*nodes: Node) -> str:
    """Return the address that names all nodes, and stands for the first of them that takes writes."""
    hosts, ports = ",".join("127.0.0.1" for _ in nodes), ",".join(str(node.port) for node in nodes)
    return conninfo.make_conninfo(nodes[0].dsn, host=hosts, port=ports, target_session_attrs="read-write")


def await_start(process: "subprocess.Popen[bytes]", dsn: str, words: Path) -> None:
    """Return once a server accepts connections. words: what it has written if it ends instead."""

    def connect() -> None:
        assert process.poll() is None, words.read_text()[-2000:]
        psycopg.connect(dsn).close()

    patiently(connect, psycopg.OperationalError)


class Cluster:
    """The nodes of one test, in a folder that only the server's account uses; all end with it."""

    def __init__(self, programs_in: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="procession-cluster-"))
        self._account = server_account(self.folder / "none")
        self.binaries = binaries_for(self._account, programs_in)
        self._account.give(self.folder)
        self.nodes: dict[str, Node] = {}

    def popen(self, command: Sequence[str | Path], arguments: Sequence[str], log: Any) -> "subprocess.Popen[bytes]":
        """Start a program as the server's account; its output goes to `log`."""
        return subprocess.Popen(
            [*map(str, command), *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **self._account.identity,
        )

    def create(self, name: str, **settings: str) -> Node:
        """Return a new server with an empty database `procession`, started."""
        node = self._node(name)
        command = [str(self.binaries.initdb), "-D", str(node.data), "-Upostgres", "--auth=trust", "--no-sync"]
        command += ["--wal-segsize=1", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        self._run(command, as_account=True)
        node.start(**settings)
        with psycopg.connect(conninfo.make_conninfo(node.dsn, dbname="postgres"), autocommit=True) as connection:
            connection.execute(f"create database {NAME}")
        return node

    def copy(self, name: str, data: Path, **settings: str) -> Node:
        """Return a server on a copy of the folder of a stopped one, started."""
        node = self._node(name)
        shutil.copytree(data, node.data)
        self._give(node)
        return node.start(**settings)

    def standby(self, name: str, of: Node, **settings: str) -> Node:
        """Return a standby `name` of a running server, started and streaming.

        A former node of that name is replaced under its address, as an old primary is that comes back.
        """
        if (before := self.nodes.get(name)) is not None:
            before.close()
            shutil.rmtree(before.data)
        node = self._node(name, before.port if before else None)
        source = conninfo.make_conninfo(of.dsn, application_name=name)
        self._run([str(programs() / "pg_basebackup"), "-D", str(node.data), "-d", source, "-R", "-cfast", "--no-sync"])
        self._give(node)
        node.start(**settings)
        until(lambda: of.rows(STREAMING, name))
        return node

    def close(self) -> None:
        """End every server and remove the folder."""
        for node in self.nodes.values():
            node.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _node(self, name: str, port: int | None = None) -> Node:
        self.nodes[name] = Node(self, name, port or free_port())
        return self.nodes[name]

    def _give(self, node: Node) -> None:
        for path in (node.data, *node.data.rglob("*")):
            self._account.give(path)

    def _run(self, command: list[str], *, as_account: bool = False) -> None:
        identity = self._account.identity if as_account else {}
        done = subprocess.run(
            command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120, **identity
        )
        assert done.returncode == 0, done.stderr
