"""From a caller's socket to LiveKit and back: the double's, and a real server's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, nullcontext
from functools import partial

import pytest
from attrs import frozen
from pytest_aiohttp import AiohttpServer
from typing_extensions import override

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_double import LiveKitDouble
from contract.livekit_messages import TURN_PASSWORD
from contract.livekit_rooms import LiveKitRooms
from contract.rooms import ALICE, BOB, NO_TRACK, Rooms, publish, unused_name
from domain.caller import TenantId
from domain.track import Participant, TrackSid
from tests.support.livekit_cluster import LiveKitCluster, RealLiveKit
from tests.support.livekit_server import LiveKitServer
from tests.support.rooms import arranged
from tests.support.rooms.real import rooms_on
from tests.support.service import Answer, Service, running_service

TOKENS = {"token-of-a": TenantId("tenant-a"), "token-of-b": TenantId("tenant-b")}
OWNED_BY_A = '{"auth_id": "tenant-a"}'
TIMEOUT_S = 2.0  # under the 3 s that LiveKit waits for somebody who is not there


@frozen
class LiveKit:
    """Where a LiveKit is, and a key that it knows."""

    url: str
    api_key: str
    api_secret: str


Serve = Callable[..., Awaitable[Service]]


async def mute(
    service: Service,
    participant: Participant,
    sid: TrackSid,
    *,
    muted: bool = True,
    token: str | None = "token-of-a",
) -> Answer:
    return await service.mute(
        token=token,
        room_name=participant.room,
        participant_identity=participant.identity,
        track_sid=sid,
        muted=muted,
    )


class EndToEnd:
    """What callers see, whichever LiveKit it is; a subclass supplies ``livekit`` and ``rooms``."""

    @pytest.fixture
    def remote_unmute(self) -> bool:
        return True

    @pytest.fixture
    async def serve(self, livekit: LiveKit) -> AsyncIterator[Serve]:
        async with AsyncExitStack() as stack:

            async def start(
                *,
                guarded: bool = True,
                secret: str = livekit.api_secret,
                probe_delay_s: float = 0.1,
            ) -> Service:
                service = running_service(
                    open_gateway=lambda: open_gateway(
                        url=livekit.url,
                        api_key=partial(ApiKey, name=livekit.api_key, secret=secret),
                        limits=LiveKitLimits(max_connections=10, probe_delay_s=probe_delay_s),
                    ),
                    open_authenticator=lambda: nullcontext(
                        ApiSecretsAuthenticator(lambda: ApiSecrets(TOKENS))
                        if guarded
                        else AnonymousAuthenticator()
                    ),
                    timeout_s=TIMEOUT_S,
                )
                return await stack.enter_async_context(service)

            yield start

    @pytest.fixture
    async def service(self, serve: Serve) -> Service:
        return await serve()

    async def test_mutes_and_unmutes(self, service: Service, rooms: Rooms) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        for muted in (True, True, False, False):
            answer = await mute(service, alice, sid, muted=muted)
            assert (answer.status, answer.json["muted"]) == (200, muted)
            assert await rooms.is_muted(alice, sid) is muted

    async def test_mutes_for_anybody_where_authentication_is_off(
        self, serve: Serve, rooms: Rooms
    ) -> None:
        service = await serve(guarded=False)
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        assert (await mute(service, alice, sid, token=None)).status == 200
        assert await rooms.is_muted(alice, sid)

    @pytest.mark.parametrize("remote_unmute", [False])
    async def test_reports_that_unmuting_is_disabled(self, service: Service, rooms: Rooms) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        assert (await mute(service, alice, sid, muted=True)).status == 200
        for track in (sid, NO_TRACK):
            answer = await mute(service, alice, track, muted=False)
            assert answer.outcome == (500, "REMOTE_UNMUTE_DISABLED")
        assert await rooms.is_muted(alice, sid)

    async def test_keeps_tenants_apart(self, service: Service, rooms: Rooms) -> None:
        missing = Participant(room=await unused_name(rooms), identity=ALICE)
        for metadata in (OWNED_BY_A, "", '{"auth_id": "tenant-b", "auth_id": "tenant-b"}'):
            alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=metadata))
            refused = await mute(service, alice, sid, token="token-of-b")
            assert refused.outcome == (404, "ROOM_NOT_FOUND")
            assert refused.body == (await mute(service, missing, sid, token="token-of-b")).body
            assert not await rooms.is_muted(alice, sid)

    async def test_reports_what_is_not_found(self, serve: Serve, rooms: Rooms) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        bob, bobs_sid = await publish(rooms, BOB, alice.room)
        await rooms.unpublish(alice, sid)
        await rooms.leave(bob)
        nowhere = Participant(room=await unused_name(rooms), identity=ALICE)
        for guarded in (True, False):
            service = await serve(guarded=guarded)
            no_room = "ROOM_NOT_FOUND" if guarded else "PARTICIPANT_NOT_FOUND"
            for participant, track, code in (
                (alice, sid, "TRACK_NOT_FOUND"),
                (alice, NO_TRACK, "TRACK_NOT_FOUND"),
                (bob, bobs_sid, "PARTICIPANT_NOT_FOUND"),
                (nowhere, sid, no_room),
            ):
                assert (await mute(service, participant, track)).outcome == (404, code)

    async def test_reports_no_outage_as_not_found(self, serve: Serve, rooms: Rooms) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        for guarded in (True, False):
            service = await serve(guarded=guarded)
            async with rooms.unreachable():
                answer = await mute(service, alice, sid)
                ready = await service.ask("GET", "/readyz")
            assert answer.outcome == (500, "LIVEKIT_UNAVAILABLE")
            assert ready.outcome == (503, "NOT_READY")
            assert (await mute(service, alice, sid)).status == 200

    async def test_reports_that_livekit_rejects_our_key(self, serve: Serve, rooms: Rooms) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        for guarded in (True, False):
            service = await serve(guarded=guarded, secret="a-wrong-secret-of-over-32-characters")
            assert (await mute(service, alice, sid)).outcome == (500, "MUTE_FAILED")
            assert (await service.ask("GET", "/readyz")).outcome == (503, "NOT_READY")
            assert "answered 401" in service.events[-1]["reason"]

    async def test_is_ready_with_the_right_key(self, service: Service) -> None:
        assert (await service.ask("GET", "/readyz")).status == 200


class TestWithTheDouble(EndToEnd):
    @pytest.fixture
    def double(self, remote_unmute: bool) -> LiveKitDouble:
        return LiveKitDouble(
            api_key="devkey",
            api_secret="a-secret-of-at-least-32-characters",
            rooms=LiveKitRooms(remote_unmute=remote_unmute, absent_wait_s=60.0),
        )

    @pytest.fixture
    async def livekit(self, double: LiveKitDouble, aiohttp_server: AiohttpServer) -> LiveKit:
        server = await aiohttp_server(double.app())
        return LiveKit(str(server.make_url("/")), double.api_key, double.api_secret)

    @pytest.fixture
    def rooms(self, double: LiveKitDouble) -> Rooms:
        return arranged.behind_double(double)

    async def test_makes_no_needless_livekit_calls(
        self, serve: Serve, rooms: Rooms, double: LiveKitDouble
    ) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        nowhere = Participant(room=await unused_name(rooms), identity=ALICE)
        bob = Participant(room=alice.room, identity=BOB)
        guarded = await serve(probe_delay_s=1.0)
        open_ = await serve(guarded=False, probe_delay_s=1.0)
        for service, participant, token, calls in (
            (open_, alice, None, {"MutePublishedTrack": 1}),
            (open_, bob, None, {"MutePublishedTrack": 1, "GetParticipant": 1, "ListRooms": 1}),
            (guarded, alice, "token-of-a", {"ListRooms": 1, "MutePublishedTrack": 1}),
            (guarded, alice, "token-of-b", {"ListRooms": 1}),
            (guarded, nowhere, "token-of-b", {"ListRooms": 1}),
            (guarded, alice, "wrong", {}),
        ):
            double.calls.clear()
            await mute(service, participant, sid, token=token)
            assert double.calls == calls

    async def test_passes_on_none_of_livekits_secrets(
        self, serve: Serve, rooms: Rooms, double: LiveKitDouble
    ) -> None:
        alice, sid = await publish(rooms, ALICE, await rooms.open(metadata=OWNED_BY_A))
        for secret in (double.api_secret, "a-wrong-secret-of-over-32-characters"):
            service = await serve(secret=secret)
            answer = await mute(service, alice, sid)
            seen = f"{answer}{service.events}"
            sent = double.headers["ListRooms"]["Authorization"].removeprefix("Bearer ")
            assert not [text for text in (TURN_PASSWORD, secret, sent) if text in seen]


@pytest.mark.livekit_server
class TestWithARealServer(EndToEnd):
    @pytest.fixture
    def server(
        self, livekit_server: Callable[[bool], LiveKitServer], remote_unmute: bool
    ) -> RealLiveKit:
        return livekit_server(remote_unmute)

    @pytest.fixture
    def livekit(self, server: RealLiveKit) -> LiveKit:
        return LiveKit(server.url, server.api_key, server.api_secret)

    @pytest.fixture
    async def rooms(self, server: RealLiveKit) -> AsyncIterator[Rooms]:
        async with rooms_on(server) as rooms:
            yield rooms


@pytest.mark.livekit_cluster
class TestWithTwoNodes(TestWithARealServer):
    @pytest.fixture
    @override
    def server(
        self, livekit_cluster: Callable[[bool], LiveKitCluster], remote_unmute: bool
    ) -> LiveKitCluster:
        return livekit_cluster(remote_unmute)
