"""The health check of the image."""

import asyncio
from contextlib import closing, suppress

import attrs
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from yarl import URL

from entrypoints.check.live import DEFAULTS
from entrypoints.settings.settings import Settings
from tests.entrypoints.cli.conftest import Cli
from tests.support.command import Run
from tests.support.server_process import free_ports


class TestLive:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
    async def test_is_0_while_the_service_answers_whatever_livekit_does(
        self, start: Run, host: str
    ) -> None:
        nowhere = f"ws://127.0.0.1:{free_ports(1)[0]}"
        running = start(
            HOST=host, LIVEKIT_URL=nowhere, LIVEKIT_API_KEY="key", LIVEKIT_API_SECRET="s" * 32
        )
        done = await Cli({"HOST": host, "PORT": str(URL(running.url).port)})("check", "--live")
        assert (done.status, done.stdout, done.stderr) == (0, "", "")

    async def test_is_1_if_nothing_listens(self) -> None:
        port = free_ports(1)[0]
        done = await Cli({"PORT": str(port)})("check", "--live")
        assert done.status == 1
        assert done.stderr == (
            f"livekit-mute: the service at 127.0.0.1, port {port}, does not answer:"
            " Connection refused\n"
        )

    async def test_is_1_if_something_else_answers(self, aiohttp_server: AiohttpServer) -> None:
        port = (await aiohttp_server(web.Application())).port
        done = await Cli({"PORT": str(port)})("check", "--live")
        assert done.status == 1
        assert done.stderr.endswith("answers /livez with 404\n")

    async def test_is_1_if_an_answer_does_not_end_in_time(self) -> None:
        async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError), closing(writer):
                while True:
                    writer.write(b"H")
                    await writer.drain()
                    await asyncio.sleep(0.1)

        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            done = await Cli({"PORT": str(port)})("check", "--live")
        assert done.status == 1
        assert done.stderr.endswith("does not answer: timed out\n")

    @pytest.mark.parametrize("port", ["x", "99999", "0"])
    async def test_is_1_if_the_port_is_none(self, port: str) -> None:
        assert (await Cli({"PORT": port})("check", "--live")).status == 1

    def test_has_the_defaults_of_the_settings(self) -> None:
        fields = attrs.fields_dict(Settings)
        assert {name: str(fields[name.lower()].default) for name in DEFAULTS} == DEFAULTS
