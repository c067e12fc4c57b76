from collections.abc import AsyncIterator, Callable

import pytest

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from tests.contract.livekit_over_http import LiveKit, double_served, server_reached
from tests.robustness.tenants import double_of
from tests.support.livekit_cluster import LiveKitCluster
from tests.support.livekit_server import LiveKitServer
from tests.support.timeouts import HOUR_S


@pytest.fixture
def double() -> LiveKitDouble:
    return double_of(LiveKitRooms(absent_wait_s=2 * HOUR_S))


@pytest.fixture(
    params=[
        "double",
        pytest.param("real", marks=pytest.mark.livekit_server),
        pytest.param("two-nodes", marks=pytest.mark.livekit_cluster),
    ]
)
async def livekit(
    request: pytest.FixtureRequest,
    double: LiveKitDouble,
    livekit_server: Callable[[bool], LiveKitServer],
    livekit_cluster: Callable[[bool], LiveKitCluster],
) -> AsyncIterator[LiveKit]:
    """A LiveKit that does not answer mutes of absent participants: a double, and real ones."""
    remote_unmute = False  # plays no part
    reached = {
        "double": lambda: double_served(double),
        "real": lambda: server_reached(livekit_server(remote_unmute)),
        "two-nodes": lambda: server_reached(livekit_cluster(remote_unmute)),
    }
    async with reached[request.param]() as livekit:
        yield livekit
