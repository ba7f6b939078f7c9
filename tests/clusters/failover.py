"""Failovers between two nodes that lose the last events, or none."""

from psycopg import conninfo

from tests.clusters.node import NAME, Node


def both(*nodes: Node) -> str:
    """Return the address that names all nodes, and stands for the first of them that takes writes."""
    return conninfo.make_conninfo(
        host=",".join("127.0.0.1" for _ in nodes),
        port=",".join(str(node.port) for node in nodes),
        dbname=NAME,
        user="postgres",
        target_session_attrs="read-write",
        connect_timeout=5,
    )


def cut_off(primary: Node, standby: Node) -> None:
    """End a standby that has everything of now: it gets nothing that comes later."""
    standby.await_replay(primary)
    standby.stop()


def take_over(primary: Node, standby: Node) -> None:
    """Kill the primary, and promote the standby that was cut off from it."""
    primary.kill()
    standby.start()
    standby.promote()
