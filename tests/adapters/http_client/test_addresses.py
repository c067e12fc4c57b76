"""Names and addresses of both families, resolved in namespaces of Linux."""

import subprocess
import sys

import pytest

from adapters.http_client.client import HttpClient
from adapters.http_client.errors import CannotConnectError
from tests.adapters.http_client.namespaced import IN_NAMESPACES, SCENARIOS
from tests.adapters.http_client.raw_servers import outcome


@pytest.mark.unshare
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("scenario", [getattr(each, "__name__", "") for each in SCENARIOS])
def test_scenario(loop: str, scenario: str) -> None:
    module = "tests.adapters.http_client.namespaced"
    run = subprocess.run(
        [*IN_NAMESPACES, sys.executable, "-W", "always", "-m", module, loop, scenario],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr


async def test_name_that_cannot_be_encoded_is_not_connected_to() -> None:
    async with HttpClient(f"http://{'a' * 64}.test", 1) as client:
        for _ in range(2):
            assert type(await outcome(client)) is CannotConnectError
