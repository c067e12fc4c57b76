"""A mute, its probe and the mute that follows, over HTTP."""

import asyncio
import gc

import pytest
from livekit.api import ParticipantInfo

from application.ports.room_gateway import RoomGatewayUnavailableError
from domain.track import ParticipantNotFoundError, Track
from tests.adapters.livekit.canned import ALICE, MUTED, SID, answer, page, twirp
from tests.adapters.livekit.livekit_servers import (
    HOUR_S,
    Canned,
    HangingMute,
    HangingProbe,
    within,
)

NOT_ABSENT: dict[str, bytes | None] = {
    "the participant": answer("200 OK", ParticipantInfo(identity="alice").SerializeToString()),
    "another participant": answer("200 OK", ParticipantInfo(identity="bob").SerializeToString()),
    "nothing": answer("200 OK"),
    "a page": page("404 Not Found"),
    "unavailable": twirp("503 Service Unavailable", {"code": "unavailable"}),
    "not found with 5xx": twirp("500 Internal Server Error", {"code": "not_found"}),
    "refused": twirp("401 Unauthorized", {"code": "unauthenticated"}),
    "no answer": b"",
    "hanging": None,
}


class TestTrackMuteOverHttp:
    async def test_reports_an_absent_participant_at_once(self) -> None:
        livekit = HangingMute(twirp("404 Not Found", {"code": "not_found"}))
        async with livekit.gateway(probe_delay_s=0.1) as gateway:
            with pytest.raises(ParticipantNotFoundError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
            await livekit.abandoned.acquire()  # the mute
        assert livekit.calls == ["MutePublishedTrack", "GetParticipant"]

    async def test_takes_nothing_else_for_absence(self) -> None:
        async def outcome_of(canned: bytes | None) -> object:
            livekit = HangingMute(canned)
            async with livekit.gateway(probe_delay_s=0.05) as gateway:
                mute = gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(3)
                )
                (outcome,) = await asyncio.gather(mute, return_exceptions=True)
            assert set(livekit.calls) == {"MutePublishedTrack", "GetParticipant"}
            return outcome

        outcomes = await asyncio.gather(*map(outcome_of, NOT_ABSENT.values()))
        assert {
            name: outcome
            for name, outcome in zip(NOT_ABSENT, outcomes, strict=True)
            if not isinstance(outcome, RoomGatewayUnavailableError)
        } == {}

    async def test_takes_an_answer_that_comes_during_the_probe(self) -> None:
        livekit = HangingProbe(answer("200 OK", MUTED))
        async with livekit.gateway(probe_delay_s=0.1) as gateway:
            track = await gateway.mute_track(
                ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
            )
            assert track == Track(sid=SID, muted=True)
            await livekit.abandoned.acquire()  # the probe
        assert livekit.calls == ["MutePublishedTrack", "GetParticipant"]

    async def test_ends_by_its_deadline_though_the_probe_hangs(self) -> None:
        livekit = HangingMute(None)
        async with livekit.gateway(probe_delay_s=0.05) as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(1)
                )
            await livekit.abandoned.acquire()
            await livekit.abandoned.acquire()

    async def test_probes_for_no_longer_than_the_mute_may_take(self) -> None:
        livekit = HangingMute(None)
        async with livekit.gateway(probe_delay_s=0.05) as gateway:
            with pytest.raises(RoomGatewayUnavailableError):
                await gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(1)
                )
        told_ms = [
            head.lower().split("x-twirp-timeout-ms: ")[1].split()[0] for head in livekit.heads
        ]
        assert all(0 < int(each) <= 1000 for each in told_ms)

    async def test_leaves_no_task_behind_once_it_has_its_answer(self) -> None:
        livekit = Canned(answer("200 OK", MUTED))
        async with livekit.gateway(probe_delay_s=HOUR_S) as gateway:
            await gateway.mute_track(
                ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
            )
            await asyncio.sleep(0)
            ours = [task for task in asyncio.all_tasks() if "coro=<TrackMute." in repr(task)]
        assert ours == []
        assert livekit.calls == ["MutePublishedTrack"]

    async def test_drops_mute_and_probe_when_it_is_cancelled(self) -> None:
        livekit = HangingMute(None)
        async with livekit.gateway(probe_delay_s=0.05) as gateway:
            mute = asyncio.create_task(
                gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(HOUR_S)
                )
            )
            while "GetParticipant" not in livekit.calls:  # noqa: ASYNC110 - it comes over a socket
                await asyncio.sleep(0.01)
            mute.cancel()
            await asyncio.wait({mute})
            assert mute.cancelled()
            await livekit.abandoned.acquire()
            await livekit.abandoned.acquire()

    async def test_logs_no_failure_whose_caller_was_cancelled(self) -> None:
        unretrieved: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unretrieved.append(context))
        for turns in range(5):
            async with Canned(None).gateway() as gateway:
                late = gateway.mute_track(
                    ALICE, SID, muted=True, room_was_read=True, deadline=within(0)
                )
                mute = asyncio.create_task(late)
                for _ in range(turns):
                    await asyncio.sleep(0)
                mute.cancel()
                await asyncio.wait({mute})
                del mute, late
        gc.collect()
        assert not unretrieved
