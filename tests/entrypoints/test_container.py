from collections.abc import Mapping

import pytest

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.identity.nobody import NobodyAuthenticator
from adapters.in_memory.room_gateway import InMemoryRoomGateway
from adapters.livekit.room_gateway import LiveKitRoomGateway
from adapters.not_configured.room_gateway import NotConfiguredRoomGateway
from entrypoints.container import Container
from entrypoints.settings import GatewayKind, load_settings
from tests.entrypoints.test_settings import LIVEKIT


def container(
    variables: Mapping[str, str] | None = None, *, gateway: GatewayKind = "livekit"
) -> Container:
    return Container(settings=load_settings(variables or {}, gateway=gateway))


class TestContainer:
    @pytest.mark.parametrize(
        ("kind", "variables", "expected"),
        [
            ("livekit", LIVEKIT, LiveKitRoomGateway),
            ("livekit", {}, NotConfiguredRoomGateway),
            ("livekit", {**LIVEKIT, "LIVEKIT_URL": ""}, NotConfiguredRoomGateway),
            ("in-memory", {}, InMemoryRoomGateway),
            ("in-memory", LIVEKIT, InMemoryRoomGateway),
        ],
    )
    async def test_opens_the_gateway_that_the_settings_ask_for(
        self, kind: GatewayKind, variables: Mapping[str, str], expected: type
    ) -> None:
        async with container(variables, gateway=kind).open_gateway() as gateway:
            assert type(gateway) is expected

    async def test_hands_the_settings_on_to_livekit(self) -> None:
        made = container({**LIVEKIT, "LIVEKIT_TIMEOUT_SECONDS": "2.5", "MAX_IN_FLIGHT": "7"})
        async with made.open_gateway() as gateway:
            assert (gateway.url, gateway.api_key) == (LIVEKIT["LIVEKIT_URL"], "key")
            assert gateway.api_secret == LIVEKIT["LIVEKIT_API_SECRET"]
            assert gateway.timeout_s == 2.5
            assert gateway.session.connector.limit == 14

    async def test_names_what_is_missing_of_livekit(self) -> None:
        async with container({**LIVEKIT, "LIVEKIT_URL": ""}).open_gateway() as gateway:
            assert gateway.missing == ("LIVEKIT_URL",)

    def test_identifies_callers_as_the_settings_ask_for(self) -> None:
        secret = {"AUTH_API_SECRET": "s3cret"}
        off = {**secret, "AUTH_REQUIRED": "false"}
        assert isinstance(container().authenticator(), NobodyAuthenticator)
        assert isinstance(container(off).authenticator(), NobodyAuthenticator)
        assert isinstance(container(secret).authenticator(), ApiSecretsAuthenticator)

    async def test_makes_the_use_case_under_the_deadline_of_livekit(self) -> None:
        made = container({"LIVEKIT_TIMEOUT_SECONDS": "2.5"})
        async with made.open_gateway() as gateway:
            mute_track = made.mute_track(gateway=gateway)
        assert (mute_track.gateway, mute_track.deadline_s) == (gateway, 2.5)

    def test_builds_every_provider(self) -> None:
        made = container()
        for name, provider in made.providers.items():
            assert provider(**({"gateway": None} if name == "mute_track" else {})) is not None
