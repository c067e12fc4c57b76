"""Clients that disconnect at six points of a request, in three ways each."""

import asyncio
from random import Random

import pytest
from attrs import frozen

from tests.robustness.disconnects import (
    MICROPHONE,
    REQUEST,
    TOKEN,
    WAYS,
    Disconnect,
    Gate,
    Site,
    running_site,
)
from tests.robustness.failures import recorded
from tests.robustness.metrics import Length, Metrics
from tests.support.service import parse_answers

pytestmark = pytest.mark.robustness("client disconnects")

HEAD_SIZE = REQUEST.index(b"\r\n\r\n")
ALL_CALLS = {"ListRooms": 1, "MutePublishedTrack": 1}
SEED = 20261121
CONCURRENT = 20
LONGEST_S = 0.01


@frozen
class Point:
    """How far a request is when its client disconnects."""

    sent: bytes = REQUEST
    held: str = ""
    """The call that is in progress."""

    @property
    def is_complete(self) -> bool:
        return self.sent == REQUEST

    @property
    def is_request(self) -> bool:
        """Whether its headers are complete, so that it is logged."""
        return len(self.sent) > HEAD_SIZE + 4


POINTS = {
    "after connecting": Point(b""),
    "in the headers": Point(REQUEST[: HEAD_SIZE // 2]),
    "in the body": Point(REQUEST[:-5]),
    "during the call to the authentication service": Point(held="auth"),
    "during ListRooms": Point(held="ListRooms"),
    "during MutePublishedTrack": Point(held="MutePublishedTrack"),
}


async def check_health(site: Site, log: pytest.LogCaptureFixture) -> None:
    """Check that the next request is admitted and served, and that nothing was logged."""
    site.double.calls.clear()
    answer = await site.service.mute(token=TOKEN, muted=False)
    assert (answer.status, answer.json["muted"], site.is_muted) == (200, False, False)
    assert site.double.calls == ALL_CALLS
    assert not log.records
    assert not [event for event in site.service.events if "stack" in event]


def outcomes(site: Site) -> list[tuple[str, object]]:
    return [(event["code"], event.get("muted")) for event in site.service.events]


class TestAClientThatDisconnects:
    @pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
    async def test_is_logged_with_what_was_done_for_it(
        self, point: Point, caplog: pytest.LogCaptureFixture
    ) -> None:
        failures: dict[str, str] = {}
        for way, disconnect in WAYS.items():
            with recorded(failures, way):
                async with running_site(Gate()) as site:
                    await self._check(site, point, disconnect, caplog)
        assert failures == {}

    async def _check(
        self, site: Site, point: Point, disconnect: Disconnect, log: pytest.LogCaptureFixture
    ) -> None:
        await check_health(site, log)
        site.double.calls.clear()
        site.gate.held = point.held
        before, tasks = len(site.service.events), len(asyncio.all_tasks())
        await self._send_and_disconnect(site, point, disconnect)
        await site.wait_until(lambda: len(site.service.events) == before + point.is_request)
        if point.is_complete:
            assert outcomes(site)[before:] == [("OK", True)]
            assert site.service.events[-1]["track"] == MICROPHONE
            assert site.double.calls == ALL_CALLS
        elif point.is_request:
            assert outcomes(site)[before:] == [("INVALID_REQUEST", None)]
            assert site.service.events[-1]["reason"] == "the client disconnected"
        assert site.is_muted is point.is_complete
        assert bool(site.double.calls) is point.is_complete
        await check_health(site, log)
        await site.wait_until(lambda: len(asyncio.all_tasks()) <= tasks)

    async def _send_and_disconnect(self, site: Site, point: Point, disconnect: Disconnect) -> None:
        reader, writer = await asyncio.open_connection(site.service.url.host, site.service.url.port)
        writer.write(point.sent)
        await writer.drain()
        await (site.gate.arrived.wait() if point.held else asyncio.sleep(0.02))
        disconnecting = asyncio.create_task(disconnect(reader, writer))
        await asyncio.sleep(0.02)
        site.gate.opened.set()
        statuses = [answer.status for answer in parse_answers(await disconnecting)]
        reads_response = disconnect is WAYS["half-closing"] and point.is_complete
        assert statuses == ([200] if reads_response else [])


def mutes(site: Site) -> int:
    return sum(bool(event.get("muted")) for event in site.service.events)


class TestManyClients:
    async def test_may_disconnect_at_any_moment(
        self, length: Length, metrics: Metrics, caplog: pytest.LogCaptureFixture
    ) -> None:
        random, clients = Random(SEED), length(short=100, full=5000)  # noqa: S311 - no secret
        metrics.note("seed", SEED)
        semaphore = asyncio.Semaphore(CONCURRENT)
        gate = Gate(delay_s=LONGEST_S / 5)
        async with running_site(gate, max_in_flight=clients) as site:

            async def connect(disconnect: Disconnect, size: int, stay_s: float) -> None:
                async with semaphore:
                    url = site.service.url
                    reader, writer = await asyncio.open_connection(url.host, url.port)
                    writer.write(REQUEST[:size])
                    await asyncio.sleep(stay_s)
                    await disconnect(reader, writer)

            moments = [
                (
                    random.choice(list(WAYS.values())),
                    random.choice([len(REQUEST), random.randrange(len(REQUEST))]),
                    random.uniform(0, LONGEST_S),
                )
                for _ in range(clients)
            ]
            tasks = len(asyncio.all_tasks())
            await asyncio.gather(*(connect(*moment) for moment in moments))
            await site.wait_until(lambda: len(asyncio.all_tasks()) <= tasks + 3 * CONCURRENT)
            traffic = site.service.traffic
            await site.wait_until(lambda: not traffic.connections and not traffic.in_flight)
            await site.wait_until(lambda: site.double.calls["MutePublishedTrack"] == mutes(site))
            assert {code for code, _ in outcomes(site)} <= {"OK", "INVALID_REQUEST"}
            metrics.note("clients", clients)
            metrics.at_least("requests executed all the same", mutes(site), clients / 10)
            await check_health(site, caplog)
