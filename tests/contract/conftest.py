"""A LiveKit for the tests of its double: the double, and the real thing where there is one."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from tests.contract.double_program import SECRET, Program, program
from tests.contract.livekit_over_http import LiveKit, double_served, server_reached
from tests.support.livekit_cluster import LiveKitCluster
from tests.support.livekit_server import LiveKitServer


@pytest.fixture(scope="module")
def double_program() -> Iterator[Program]:
    """The LiveKit double as a process."""
    with program(f"--api-secret={SECRET}") as running:
        yield running


@pytest.fixture
def remote_unmute() -> bool:
    """LiveKit's own default; a test overrides it by a parameter."""
    return False


@pytest.fixture
def absent_wait_s() -> float:
    """How long the double waits for the absent, where waiting is all that there is to see."""
    return 0.01


@pytest.fixture
def double(*, remote_unmute: bool, absent_wait_s: float) -> LiveKitDouble:
    return LiveKitDouble(
        api_key="devkey",
        api_secret="a-secret-of-at-least-32-characters",
        rooms=LiveKitRooms(remote_unmute=remote_unmute, absent_wait_s=absent_wait_s),
    )


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
    *,
    remote_unmute: bool,
) -> AsyncIterator[LiveKit]:
    reached = {
        "double": lambda: double_served(double),
        "real": lambda: server_reached(livekit_server(remote_unmute)),
        "two-nodes": lambda: server_reached(livekit_cluster(remote_unmute)),
    }
    async with reached[request.param]() as livekit:
        yield livekit
