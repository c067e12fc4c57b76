"""What the tests of two LiveKit nodes rest on."""

from collections.abc import Callable

import pytest

from tests.support.livekit_cluster import LiveKitCluster
from tests.support.rooms.real import rooms_on


@pytest.mark.livekit_cluster
class TestLiveKitCluster:
    async def test_has_the_rooms_on_the_node_that_the_service_does_not_ask(
        self, livekit_cluster: Callable[[bool], LiveKitCluster]
    ) -> None:
        remote_unmute = False  # plays no part
        cluster = livekit_cluster(remote_unmute)
        async with rooms_on(cluster) as rooms:
            opened = [await rooms.open() for _ in range(10)]
        nodes = {cluster.redis.ask(f"HGET room_node_map {room}").split()[1] for room in opened}
        assert nodes == {cluster.room_node.node_id}
        assert cluster.service_node.url == cluster.url
        assert cluster.service_node.is_registered()
