"""A call whose token LiveKit refuses is made once more with another token."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from attrs import define, evolve
from livekit.api import MuteRoomTrackRequest
from pytest_aiohttp import AiohttpServer

from adapters.http_client.client import HttpClient
from adapters.livekit.api_key import ApiKey
from adapters.livekit.errors import TokenRefusedError
from adapters.livekit.room_service import RoomServiceClient
from adapters.livekit.tokens import AccessTokens
from application.ports.room_gateway import RoomGatewayError, RoomGatewayUnavailableError
from contract.livekit_answers import hang_up, silence
from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from domain.track import PublishedTrack
from tests.adapters.livekit.canned import ALICE, SID
from tests.adapters.livekit.livekit_servers import HOUR_S, SECRET, within
from tests.support.livekit_server import LiveKitServer

KEY = ApiKey(name="key", secret=SECRET)
NEW_KEY = ApiKey(name="key", secret="another-secret-of-livekit-that-is-new")
AHEAD = "the token is not valid yet, this machine's clock is ahead of LiveKit's"
BEHIND = "the token has expired, this machine's clock is behind LiveKit's"
MUTE = MuteRoomTrackRequest(room=ALICE.room, identity=ALICE.identity, track_sid=SID, muted=True)

Call = Callable[[RoomServiceClient, float], Awaitable[object]]
CALLS: dict[str, Call] = {
    "ListRooms": lambda client, deadline: client.list_rooms([ALICE.room], deadline),
    "ListParticipants": lambda client, deadline: client.list_participants(ALICE.room, deadline),
    "GetParticipant": lambda client, deadline: client.get_participant(ALICE, deadline),
    "MutePublishedTrack": lambda client, deadline: client.begin_mute(MUTE, deadline).answer(),
}


@define
class World:
    """Our clock and our key."""

    key: ApiKey = KEY
    now: float = 1_700_000_000.0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def double(world: World) -> LiveKitDouble:
    rooms = LiveKitRooms()
    rooms.put_room(ALICE.room)
    rooms.put_participant(ALICE)
    rooms.put_track(ALICE, PublishedTrack(sid=SID, muted=False))
    return LiveKitDouble(
        api_key="key", api_secret=SECRET, rooms=rooms, wall_clock=lambda: world.now
    )


@pytest.fixture
async def client(
    double: LiveKitDouble, world: World, aiohttp_server: AiohttpServer
) -> AsyncIterator[RoomServiceClient]:
    server = await aiohttp_server(double.app())
    url = str(server.make_url("/"))
    async with client_in(world, url) as client:
        yield client


@asynccontextmanager
async def client_in(world: World, url: str) -> AsyncIterator[RoomServiceClient]:
    tokens = AccessTokens(api_key=lambda: world.key, token_life_s=600, wall_clock=lambda: world.now)
    async with HttpClient(url, 10) as http:
        yield RoomServiceClient(http=http, tokens=tokens)


async def refuse(_: web.Request) -> web.StreamResponse:
    return web.Response(status=401, text="invalid token: s3cret, error: arranged")


@pytest.mark.parametrize("name", CALLS)
class TestRefusedTokens:
    async def test_are_replaced_and_the_call_succeeds(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble, world: World
    ) -> None:
        """The clock of LiveKit is ahead, by so much that it refuses all but new tokens."""
        ahead_s = 400
        double.wall_clock = lambda: world.now + ahead_s
        await CALLS[name](client, within(HOUR_S))
        world.now += 299
        await CALLS[name](client, within(HOUR_S))
        assert double.calls == {name: 3}
        await CALLS[name](client, within(HOUR_S))
        assert double.calls == {name: 4}

    @pytest.mark.parametrize("moved_s", [-86_400, -3600, -61, 61, 3600, 86_400])
    async def test_are_not_sent_where_the_clocks_of_all_are_set(
        self,
        name: str,
        moved_s: float,
        client: RoomServiceClient,
        double: LiveKitDouble,
        world: World,
    ) -> None:
        await CALLS[name](client, within(HOUR_S))
        for _ in range(2):
            world.now += moved_s
            await CALLS[name](client, within(HOUR_S))
            moved_s = -moved_s
        assert double.calls == {name: 3}

    async def test_are_replaced_with_the_key_as_it_is_by_then(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble, world: World
    ) -> None:
        async def change_keys(_: web.Request) -> web.StreamResponse:
            double.api_secret = NEW_KEY.secret
            world.key = NEW_KEY
            return await refuse(_)

        double.fail_next(name, change_keys)
        await CALLS[name](client, within(HOUR_S))
        assert double.calls == {name: 2}

    async def test_are_replaced_once_for_a_call_and_once_in_ten_seconds(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble, world: World
    ) -> None:
        """A wrong secret must not make every call two."""
        double.api_secret = NEW_KEY.secret
        for called, moved_s in ((2, 0), (3, 1), (4, 8), (6, 1), (7, 0)):
            world.now += moved_s
            with pytest.raises(TokenRefusedError):
                await CALLS[name](client, within(HOUR_S))
            assert double.calls == {name: called}

    async def test_of_many_calls_at_once_are_replaced_by_one(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble, world: World
    ) -> None:
        sent: list[str] = []

        async def refuse_and_remember(request: web.Request) -> web.StreamResponse:
            sent.append(request.headers["Authorization"])
            return await refuse(request)

        double.fail_next(name, *[refuse_and_remember] * 50)
        await asyncio.gather(*(CALLS[name](client, within(HOUR_S)) for _ in range(50)))
        assert len(set(sent)) == 1
        assert double.calls == {name: 100}
        world.now += 1
        await CALLS[name](client, within(HOUR_S))
        assert double.calls == {name: 101}

    async def test_are_replaced_within_the_deadline(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble
    ) -> None:
        double.fail_next(name, refuse, silence)
        with pytest.raises(RoomGatewayUnavailableError) as failed:
            await CALLS[name](client, within(0.5))
        assert failed.value.reason == "no answer before the deadline"

    async def test_add_no_retry_to_that_of_a_lost_connection(
        self, name: str, client: RoomServiceClient, double: LiveKitDouble
    ) -> None:
        for answers in ((refuse, hang_up), (hang_up, refuse)):
            double.calls.clear()
            double.fail_next(name, *answers)
            with pytest.raises(RoomGatewayError):
                await CALLS[name](client, within(HOUR_S))
            is_retried = name in ("ListRooms", "ListParticipants") or answers[0] is refuse
            assert double.calls == {name: 2 if is_retried else 1}


@pytest.mark.livekit_server
class TestRefusalsOfARealServer:
    async def test_name_the_key_the_secret_or_the_clock(
        self, livekit_server: Callable[[bool], LiveKitServer]
    ) -> None:
        server = livekit_server(True)  # noqa: FBT003 - remote unmute plays no part
        key, now = ApiKey(name=server.api_key, secret=server.api_secret), time.time()
        worlds = {
            "LiveKit does not know the API key": World(evolve(key, name="another"), now),
            "LiveKit has another secret for the API key": World(evolve(key, secret=SECRET), now),
            AHEAD: World(key, now + 3600),
            BEHIND: World(key, now - 3600),
        }
        reasons = {}
        for cause, world in worlds.items():
            async with client_in(world, server.url) as client:
                for name, call in CALLS.items():
                    (error,) = await asyncio.gather(
                        call(client, within(HOUR_S)), return_exceptions=True
                    )
                    reasons[cause, name] = getattr(error, "reason", error)
        assert reasons == {
            (cause, name): f"answered 401: {cause}" for cause in worlds for name in CALLS
        }
