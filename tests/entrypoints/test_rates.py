"""The command with rates: in each process, and in a real Redis that two of them share."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.entrypoints.test_metrics import get, value
from tests.support.command import Run, Running, run
from tests.support.redis_server import RedisServer, run_redis
from tests.support.secret_scan import keep
from tests.support.server_process import free_ports
from tests.support.service import DEMO_REQUEST, MUTE
from tests.support.timeouts import scaled

QUOTA = 20
RATE = {"RATE_LIMIT_PER_TENANT": f"{QUOTA}/hour"}
UNKNOWN = 'livekit_mute_rate_unknown_requests_total{cause="%s"}'
CAUSES = ("slow", "failed")

Replica = Callable[[str], Running]


@pytest.fixture
def replica(start: Run) -> Replica:
    """Start the demo with a rate, which the Redis at a URL counts."""

    def started(url: str) -> Running:
        return start(
            "--gateway",
            "in-memory",
            LOG_FORMAT="json",
            METRICS_PORT="0",
            RATE_LIMIT_STORAGE_URL=url,
            **RATE,
        )

    return started


async def statuses(replicas: list[Running], number: int) -> list[int]:
    """Send so many mutes of one tenant to each replica, all at once."""

    async def mute(session: aiohttp.ClientSession, url: str) -> int:
        headers = {"Authorization": "Bearer demo-secret-a"}
        async with session.post(url + MUTE, json=DEMO_REQUEST, headers=headers) as answer:
            return answer.status

    async with aiohttp.ClientSession() as session:
        urls = [each.url for each in replicas] * number
        return await asyncio.gather(*(mute(session, url) for url in urls))


def unknown(replicas: list[Running], *causes: str) -> float:
    """Return how many requests passed because their rate was not known, for any or some causes."""
    pages = [get(each.url, "/metrics")[1] for each in replicas]
    return sum(value(page, UNKNOWN % each) for page in pages for each in causes or CAUSES)


async def is_limited(running: Running) -> bool:
    deadline = time.monotonic() + scaled(60)
    while time.monotonic() < deadline:
        if 429 in await statuses([running], 2):
            return True
    return False


class TestInMemory:
    async def test_each_process_counts_on_its_own(self, start: Run) -> None:
        replicas = [start("--gateway", "in-memory", **RATE) for _ in range(2)]
        found = await statuses(replicas, QUOTA + 10)
        assert found.count(200) == 2 * QUOTA
        assert found.count(429) == 20

    def test_the_configuration_names_the_rate(self, start: Run) -> None:
        running = start("--gateway", "in-memory", LOG_FORMAT="json", **RATE)
        running.wait_for("configuration")
        (event,) = (each for each in running.events if each["event"] == "configuration")
        assert str(event["limits"]).endswith(f", {QUOTA} within 3600 s for each tenant")

    async def test_failed_authentications_are_limited(self, start: Run) -> None:
        secret = keep("s3cret-of-a-caller-for-rates")
        running = start(
            "--gateway", "in-memory", AUTH_API_SECRET=secret, AUTH_FAILURE_RATE_LIMIT="2/hour"
        )
        found = []
        async with aiohttp.ClientSession() as session:
            for token in ("a", "b", secret):
                headers = {"Authorization": f"Bearer {token}"}
                async with session.post(running.url + MUTE, headers=headers) as answer:
                    found.append(answer.status)
        assert found == [401, 401, 429]


@pytest.mark.redis
class TestRedis:
    async def test_two_replicas_share_one_rate(
        self, replica: Replica, redis_server: RedisServer
    ) -> None:
        replicas = [replica(redis_server.url) for _ in range(2)]
        found = await statuses(replicas, 2 * QUOTA)
        assert QUOTA <= found.count(200) <= QUOTA + unknown(replicas)
        assert [await is_limited(each) for each in replicas] == [True, True]

    async def test_killed_lets_requests_pass_and_counts_them_until_it_is_back(
        self, replica: Replica, redis_server: RedisServer
    ) -> None:
        running = replica(redis_server.url)
        assert await is_limited(running)
        redis_server.kill()
        before = unknown([running])
        await asyncio.sleep(1)  # after which a full key is asked about again
        assert await statuses([running], 2 * QUOTA) == [200] * 2 * QUOTA
        slow = unknown([running], "slow")
        assert unknown([running]) - before == 2 * QUOTA
        running.wait_for("rates not known, requests pass")
        [*_, told] = (
            each for each in running.events if each["event"] == "rates not known, requests pass"
        )
        failed = ("cannot connect to 127.0.0.1:", "connection lost")
        assert slow or str(told["reason"]).startswith(failed)
        redis_server.start()
        assert await is_limited(running)

    async def test_frozen_lets_requests_pass_until_it_goes_on(
        self, replica: Replica, redis_server: RedisServer
    ) -> None:
        running = replica(redis_server.url)
        assert await is_limited(running)
        with redis_server.stopped():
            await asyncio.sleep(1)
            assert await statuses([running], QUOTA) == [200] * QUOTA
            assert unknown([running]) >= QUOTA
        assert await is_limited(running)

    async def test_away_at_the_start_is_a_warning(self, replica: Replica) -> None:
        (port,) = free_ports(1)
        running = replica(f"redis://127.0.0.1:{port}")
        running.wait_for("Redis cannot be used yet")
        assert await statuses([running], 2 * QUOTA) == [200] * 2 * QUOTA


@pytest.fixture
def guarded(pytestconfig: pytest.Config) -> Iterator[RedisServer]:
    """A Redis with a password."""
    password = keep("s3cret-of-redis-for-rates")
    with run_redis(pytestconfig.getoption("--redis-server"), password=password) as server:
        yield server


@pytest.mark.redis
class TestPassword:
    async def test_is_sent(self, replica: Replica, guarded: RedisServer) -> None:
        assert await is_limited(replica(guarded.url))

    async def test_that_is_wrong_lets_requests_pass(
        self, replica: Replica, guarded: RedisServer
    ) -> None:
        url = urlsplit(guarded.url)
        running = replica(f"redis://:{keep('s3cret-but-wrong')}@{url.hostname}:{url.port}")
        running.wait_for("Redis cannot be used yet")
        (event,) = (each for each in running.events if each["event"] == "Redis cannot be used yet")
        assert event["reason"] == "Redis refuses the user, the password or the command"
        assert await statuses([running], 2 * QUOTA) == [200] * 2 * QUOTA

    def test_is_not_shown_by_the_check(self, guarded: RedisServer) -> None:
        found = check(RATE_LIMIT_STORAGE_URL=guarded.url)
        place = f"127.0.0.1:{guarded.port}"
        assert found["RATE_LIMIT_STORAGE_URL"] == f"redis://***@{place}"
        assert found["redis"] == f"ok: {place} answers"
        assert found["rate limit"] == (
            f"ok: {QUOTA} within 3600 s for each tenant, counted in Redis"
        )


def check(**variables: str) -> Mapping[str, str]:
    """Run the check, and return settings and findings by name."""
    done = run("check", "--json", AUTH_API_SECRET="s3cret-of-check", **RATE, **variables)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {
        each["check"]: f"{each['verdict']}: {each['text']}" for each in lines[1:] if "check" in each
    }
    return found | {each["setting"]: each["value"] for each in lines if "setting" in each}


class TestCheck:
    def test_says_that_each_process_counts(self) -> None:
        found = check(AUTH_FAILURE_RATE_LIMIT="10/minute")
        alone = "counted in each process on its own"
        assert found["rate limit"] == f"ok: {QUOTA} within 3600 s for each tenant, {alone}"
        assert found["failed authentications"] == f"ok: 10 within 60 s for each address, {alone}"
        assert "redis" not in found

    def test_says_why_redis_cannot_be_used(self) -> None:
        (port,) = free_ports(1)
        found = check(RATE_LIMIT_STORAGE_URL=f"redis://127.0.0.1:{port}")
        assert found["redis"] == f"failed: cannot connect to 127.0.0.1:{port}: connection refused"


class TestWrongUrl:
    def test_stops_the_start(self) -> None:
        done = run(
            "serve", "--gateway", "in-memory", RATE_LIMIT_STORAGE_URL="http://127.0.0.1", **RATE
        )
        assert done.returncode != 0
        assert "RATE_LIMIT_STORAGE_URL: must be a URL like redis://" in done.stderr


class TestPackages:
    def test_are_needed_for_redis_only(self) -> None:
        start = "import sys; sys.modules['redis'] = None; from entrypoints.main import main; main()"
        without = (sys.executable, "-c", start)
        variables = {**RATE, "AUTH_API_SECRET": "s3cret-of-packages"}
        done = run("check", command=without, **variables)
        assert "counted in each process on its own" in done.stdout
        done = run("check", command=without, RATE_LIMIT_STORAGE_URL="redis://x", **variables)
        assert "RATE_LIMIT_STORAGE_URL: needs packages that are not installed" in done.stdout
