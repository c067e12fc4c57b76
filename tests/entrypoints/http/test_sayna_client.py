"""A public client of this very endpoint, unchanged."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from sayna_client import SaynaClient, SaynaHttpError, SaynaServerError, SaynaValidationError

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGatewayUnavailableError
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN
from tests.support.service import Service

MakeClient = Callable[[str], SaynaClient]


@pytest.fixture
async def make_client(guarded: Service) -> AsyncIterator[MakeClient]:
    async with AsyncExitStack() as stack:

        def make(token: str) -> SaynaClient:
            client = SaynaClient(url=str(guarded.url), without_audio=True, api_key=token)
            stack.push_async_callback(client._http_client.close)  # noqa: SLF001 - no public way
            return client

        yield make


class TestSaynaClient:
    @pytest.mark.parametrize("muted", [True, False])
    async def test_mutes_and_unmutes(self, make_client: MakeClient, muted: bool) -> None:
        answer = await make_client(DEMO_TOKEN).mute_livekit_participant_track(
            "demo-room", "alice", "TR_demo_mic", muted=muted
        )
        assert answer.room_name == "demo-room"
        assert answer.participant_identity == "alice"
        assert answer.track_sid == "TR_demo_mic"
        assert answer.muted is muted

    async def test_reports_what_is_wrong_with_a_request(self, make_client: MakeClient) -> None:
        with pytest.raises(SaynaValidationError, match="track_sid is longer than 128 characters"):
            await make_client(DEMO_TOKEN).mute_livekit_participant_track(
                "demo-room", "alice", "x" * 129, muted=True
            )

    async def test_reports_that_its_token_is_rejected(self, make_client: MakeClient) -> None:
        with pytest.raises(SaynaValidationError, match="the token is not valid"):
            await make_client("wrong").mute_livekit_participant_track(
                "demo-room", "alice", "TR_demo_mic", muted=True
            )

    @pytest.mark.parametrize(
        ("token", "sid", "text"),
        [
            (OTHER_TOKEN, "TR_demo_mic", "no such room"),
            (DEMO_TOKEN, "TR_stale", "the participant publishes no such track"),
        ],
    )
    async def test_reports_what_is_not_found(
        self, make_client: MakeClient, token: str, sid: str, text: str
    ) -> None:
        with pytest.raises(SaynaHttpError, match=text) as error:
            await make_client(token).mute_livekit_participant_track(
                "demo-room", "alice", sid, muted=True
            )
        assert error.value.status_code == 404

    async def test_reports_that_livekit_is_down(
        self, make_client: MakeClient, gateway: InMemoryRoomGateway
    ) -> None:
        gateway.rooms.fail_next(RoomGatewayUnavailableError(reason="arranged"))
        with pytest.raises(SaynaServerError, match="LiveKit could not be reached") as error:
            await make_client(DEMO_TOKEN).mute_livekit_participant_track(
                "demo-room", "alice", "TR_demo_mic", muted=True
            )
        assert error.value.status_code == 500
