"""Two real LiveKit servers joined by a real Redis server."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, frozen
from typing_extensions import override

from tests.support.livekit_server import LiveKitServer, command_of, new_secret, version_of
from tests.support.redis_server import RedisServer, run_redis
from tests.support.server_process import free_ports, running


@define(kw_only=True)
class ClusterNode(LiveKitServer):
    """A LiveKit server that finds the other nodes in Redis."""

    redis: RedisServer

    @override
    def start(self) -> None:
        """Start it under a new node id, and wait until it answers."""
        before = self._node_ids()
        super().start()
        (self.node_id,) = self._node_ids() - before

    def is_registered(self) -> bool:
        """Return whether other nodes find it; LiveKit creates no room on it before."""
        return self.node_id in self._node_ids()

    def _node_ids(self) -> set[str]:
        return set(re.findall(r"ND_\w+", self.redis.ask("HKEYS nodes")))


@frozen(kw_only=True)
class LiveKitCluster:
    """Two nodes: what the service asks one of them for is on the other, so every call crosses."""

    room_node: ClusterNode
    """Hosts the rooms that tests open, and their participants."""
    service_node: ClusterNode
    """The one that the service talks to."""
    redis: RedisServer

    @property
    def version(self) -> tuple[int, ...]:
        return self.service_node.version

    @property
    def url(self) -> str:
        return self.service_node.url

    @property
    def api_key(self) -> str:
        return self.service_node.api_key

    @property
    def api_secret(self) -> str:
        return self.service_node.api_secret


RealLiveKit = LiveKitServer | LiveKitCluster
"""What a gateway is opened to, and where the back door to its rooms is found."""


@contextmanager
def run_livekit_cluster(
    livekit: Path,
    redis: Path,
    *,
    remote_unmute: bool,
    sections: Mapping[str, Any] | None = None,
    redis_folder: Path | None = None,
) -> Iterator[LiveKitCluster]:
    """Run two nodes while this is entered, with further sections of their configuration.

    Redis writes what it knows into ``redis_folder``, if there is one.

    Raises:
        ServerDidNotStartError: a server ended, or did not answer within a minute.
    """
    secret = new_secret()

    def configure_node() -> ClusterNode:
        (port,) = free_ports(1)
        own = {"redis": {"address": f"127.0.0.1:{redis_server.port}"}, **(sections or {})}
        command = command_of(livekit, port, secret, remote_unmute, own)
        return ClusterNode(
            version=version_of(livekit),
            port=port,
            api_secret=secret,
            command=command,
            redis=redis_server,
        )

    with (
        run_redis(redis, folder=redis_folder) as redis_server,
        running(configure_node) as room_node,
        running(configure_node) as service_node,
    ):
        yield LiveKitCluster(room_node=room_node, service_node=service_node, redis=redis_server)
