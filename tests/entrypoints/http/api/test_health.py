import pytest

from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGatewayRefusedError
from entrypoints.http.limits import Limits
from tests.entrypoints.http.conftest import Serve
from tests.support.service import Service


class TestLive:
    @pytest.mark.parametrize("path", ["/", "/livez", "/livez?s3cret=1"])
    async def test_needs_neither_a_token_nor_livekit(
        self, guarded: Service, gateway: InMemoryRoomGateway, path: str
    ) -> None:
        gateway.rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        assert (await guarded.ask("GET", path)).json == {"status": "OK"}

    async def test_responds_to_head_without_a_body(self, service: Service) -> None:
        assert (await service.ask("HEAD", "/livez")).status == 200


class TestReady:
    async def test_is_200_while_livekit_accepts_our_key(self, guarded: Service) -> None:
        assert (await guarded.ask("GET", "/readyz")).json == {"status": "READY"}

    async def test_is_503_at_the_deadline_of_the_request(self, serve: Serve) -> None:
        service = await serve(limits=Limits(shutdown_delay_s=0, request_timeout_s=0))
        assert (await service.ask("GET", "/readyz")).outcome == (503, "NOT_READY")

    async def test_is_503_with_the_reason_in_the_log_only(
        self, service: Service, gateway: InMemoryRoomGateway
    ) -> None:
        gateway.rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        answer = await service.ask("GET", "/readyz")
        assert answer.outcome == (503, "NOT_READY")
        assert b"arranged" not in answer.body
        assert service.events[-1]["reason"] == "arranged"
        assert (await service.ask("GET", "/readyz")).status == 200
