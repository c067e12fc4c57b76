import asyncio

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.chain import ChainAuthenticator
from adapters.identity.claims import ClaimRules
from adapters.identity.key_server import RefreshPolicy, open_key_server
from adapters.identity.signed_tokens import open_signed_tokens
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.livekit.api_key import ApiKey
from adapters.livekit.room_gateway import open_gateway
from application.ports.room_gateway import RoomGatewayRefusedError
from entrypoints.http.limits import Limits
from tests.adapters.identity.cases.key_set_server import IssuerKey, key_set_server
from tests.entrypoints.http.conftest import DEMO_TOKEN, Serve
from tests.support.service import Service


async def _never_answer(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


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
        service = await serve(limits=Limits(leave_delay_s=0, request_timeout_s=0))
        assert (await service.ask("GET", "/readyz")).outcome == (503, "NOT_READY")

    async def test_is_503_with_the_reason_in_the_log_only(
        self, service: Service, gateway: InMemoryRoomGateway
    ) -> None:
        gateway.rooms.fail_next(RoomGatewayRefusedError(reason="arranged"))
        answer = await service.ask("GET", "/readyz")
        assert answer.outcome == (503, "NOT_READY")
        assert b"arranged" not in answer.body
        assert "LiveKit" in answer.json["error"]
        assert service.events[-1]["reason"] == "arranged"
        assert (await service.ask("GET", "/readyz")).status == 200

    async def test_is_503_in_time_for_a_kubelet_while_livekit_is_silent(
        self, serve: Serve, aiohttp_server: AiohttpServer
    ) -> None:
        """All other timeouts are an hour."""
        silence = web.Application()
        silence.router.add_post("/{path:.*}", _never_answer)
        livekit = await aiohttp_server(silence)
        key = ApiKey(name="key", secret="a-secret-of-at-least-32-characters")
        async with open_gateway(url=str(livekit.make_url("/")), api_key=key) as silent:
            service = await serve(
                other_gateway=silent,
                limits=Limits(leave_delay_s=0, request_timeout_s=3600, ready_timeout_s=0.3),
                timeout_s=3600,
            )
            answer = await service.ask("GET", "/readyz")
        assert answer.outcome == (503, "NOT_READY")
        assert service.events[-1]["reason"] == "no answer before the deadline"

    async def test_is_503_until_the_issuers_first_keys_have_come(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator
    ) -> None:
        """Meanwhile callers with an API secret are served."""
        policy = RefreshPolicy(first_retry_after_s=0.01, retry_after_s=0.01)
        async with key_set_server() as issuer:
            keys = open_key_server(issuer.url, policy=policy)
            async with open_signed_tokens(keys, rules=ClaimRules()) as tokens:
                service = await serve(
                    authenticator=ChainAuthenticator(
                        {"api-secrets": api_secrets, "signed-tokens": tokens}
                    )
                )
                answer = await service.ask("GET", "/readyz")
                assert answer.outcome == (503, "NOT_READY")
                assert "authenticated yet (signed-tokens)" in answer.json["error"]
                assert service.events[-1]["reason"] == "key server: no usable key yet"
                assert (await service.mute(token=DEMO_TOKEN)).status == 200
                issuer.published = [IssuerKey("a")]
                while (await service.ask("GET", "/readyz")).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
