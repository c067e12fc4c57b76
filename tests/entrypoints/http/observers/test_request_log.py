import asyncio
import gc
from collections.abc import Mapping
from hashlib import sha256

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from application.ports.room_gateway import RoomGatewayRefusedError
from domain.caller import TenantId
from domain.room import NotFoundError, RoomName
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve
from tests.entrypoints.http.observers.failing import FaultyGateway
from tests.support.service import MUTE, Service


def digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:16]


def digests(event: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in event.items() if name.endswith("_sha256")}


def errors_alive() -> list[NotFoundError]:
    return [each for each in gc.get_objects() if isinstance(each, NotFoundError)]


class TestEvent:
    async def test_names_the_caller_the_track_and_the_outcome(self, guarded: Service) -> None:
        answer = await guarded.mute(token=DEMO_TOKEN)
        [event] = guarded.events
        assert event["elapsed_ms"] > 0
        assert {**event, "elapsed_ms": 0} == {
            "log_level": "info",
            "event": "request",
            "request_id": answer.headers["X-Request-ID"],
            "method": "POST",
            "path": MUTE,
            "status": 200,
            "code": "OK",
            "elapsed_ms": 0,
            "client": "127.0.0.1",
            "caller_id": "tenant-a",
            "source": "api-secrets",
            "credential": "of-the-demo",
            "room": "demo-room",
            "participant": "alice",
            "track": "TR_demo_mic",
            "muted_wanted": True,
            "muted": True,
        }

    async def test_has_the_beginning_of_a_long_name_of_a_credential(self, serve: Serve) -> None:
        known = ApiSecrets({DEMO_TOKEN: TenantId("tenant-a")}, names={DEMO_TOKEN: "n" * 257})
        service = await serve(authenticator=ApiSecretsAuthenticator(lambda: known))
        await service.mute(token=DEMO_TOKEN)
        [event] = service.events
        assert event["credential"] == "n" * 256

    async def test_gives_the_reason_of_a_masked_404(
        self, guarded: Service, gateway: InMemoryRoomGateway
    ) -> None:
        gateway.rooms.put_room(RoomName("free"))
        gateway.rooms.put_room(RoomName("nulled"), metadata='{"auth_id": null}')
        for room in ("demo-room", "nowhere", "free", "nulled"):
            await guarded.mute(token=OTHER_TOKEN, room_name=room)
        assert [event["code"] for event in guarded.events] == ["ROOM_NOT_FOUND"] * 4
        assert [event["reason"] for event in guarded.events] == [
            "foreign",
            "missing",
            "unowned: no metadata",
            "unowned: auth_id is null, not a string",
        ]

    async def test_keeps_no_exception_alive(self, service: Service) -> None:
        """The garbage collector runs seldom, and a traceback holds its request."""
        before = errors_alive()  # of other tests
        gc.disable()
        try:
            await service.mute(participant_identity="nobody")
            assert service.events
            left = errors_alive()
        finally:
            gc.enable()
        assert not [error for error in left if all(error is not old for old in before)]

    async def test_truncates_names_and_tells_them_apart_by_a_digest(self, service: Service) -> None:
        await service.mute(room_name="r" * 256, participant_identity="\xe9" * 257)
        await service.mute(room_name="r" * 256 + "1", participant_identity="p" * 256)
        await service.ask("GET", "/" + "x" * 300)
        [one, other, path] = service.events
        assert one["room"] == other["room"] == "r" * 256
        assert (one["participant"], other["participant"]) == ("\xe9" * 256, "p" * 256)
        assert len(path["path"]) == 256
        assert digests(one) == {"participant_sha256": digest("\xe9" * 257)}
        assert digests(other) == {"room_sha256": digest("r" * 256 + "1")}

    async def test_of_a_health_check_is_of_level_debug_unless_livekit_cannot_be_used(
        self, guarded: Service, gateway: InMemoryRoomGateway
    ) -> None:
        paths = ("/", "/livez", "/readyz")
        for path in paths:
            assert (await guarded.ask("GET", path)).status == 200
        gateway.rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        await guarded.ask("GET", "/readyz")
        guarded.traffic.shutting_down = True
        assert (await guarded.ask("GET", "/readyz")).outcome == (503, "NOT_READY")
        await guarded.ask("GET", "/nowhere")
        levels = [(event["path"], event["log_level"]) for event in guarded.events]
        assert levels == [
            *((path, "debug") for path in paths),
            *(("/readyz", "error"), ("/readyz", "debug"), ("/nowhere", "info")),
        ]

    async def test_is_a_warning_where_the_outcome_differs_from_the_request(
        self, serve: Serve, gateway: InMemoryRoomGateway
    ) -> None:
        service = await serve(other_gateway=FaultyGateway(gateway.rooms))
        answer = await service.mute(muted=True)
        [event] = service.events
        assert answer.json["muted"] is event["muted"] is False
        assert event["log_level"] == "warning"

    async def test_gives_the_location_of_an_unexpected_exception_not_its_text(
        self, serve: Serve, gateway: InMemoryRoomGateway
    ) -> None:
        faulty = FaultyGateway(gateway.rooms, ZeroDivisionError("s3cret"))
        service = await serve(other_gateway=faulty)
        answer = await service.mute()
        [event] = service.events
        assert answer.outcome == (500, "INTERNAL_ERROR")
        assert event["reason"] == "ZeroDivisionError"
        assert "in mute_track" in "".join(event["stack"])
        assert event["log_level"] == "error"
        assert "s3cret" not in answer.body.decode() + str(event["reason"])

    async def test_contains_no_token_and_no_query(self, guarded: Service) -> None:
        await guarded.mute(token=DEMO_TOKEN)
        await guarded.mute(token="s3cret-wrong")
        await guarded.ask("POST", f"{MUTE}?api_key=s3cret-query&x=s3cret")
        await guarded.ask("GET", "/livez?s3cret", headers={"Referer": "http://s3cret"})
        await guarded.send(b"GET /?s3cret HTTP/1.1\r\ns3cret\r\n\r\n")
        await guarded.ask("POST", f"{MUTE}%3Fapi_key=s3cret")
        await guarded.ask("POST", f"{MUTE};api_key=s3cret")
        await asyncio.sleep(0)
        assert len(guarded.events) == 7
        assert "s3cret" not in str(guarded.events)
        assert DEMO_TOKEN not in str(guarded.events)
