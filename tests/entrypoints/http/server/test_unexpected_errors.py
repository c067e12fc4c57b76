"""Errors that aiohttp and yarl raise where nothing catches them.

Some absolute targets with a strange host end the connection of aiohttp 3.14.5 without a response,
others leave the client waiting. They are not written down here: the errors come from elsewhere.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.http import RawRequestMessage

from entrypoints.http.api.lifecycle import RequestLifecycle
from entrypoints.http.server.aiohttp_internals import wrap_request_factory
from entrypoints.http.server.connection import Connection
from entrypoints.http.server.keys import HTTP_PROBLEM
from entrypoints.http.server.listener import begin_requests
from entrypoints.http.server.traffic import Traffic
from tests.entrypoints.http.conftest import patient
from tests.support.service import Answer, parse_answers

GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BAD = b"GET /fails HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[Connection, asyncio.StreamReader]]:
    """Open a connection to a server that answers with a request's problem."""

    async def tell_problem(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request[HTTP_PROBLEM])

    def make_request(
        message: RawRequestMessage, body: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        if message.url.path == "/fails":
            raise ValueError
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, body, protocol, writer, task, loop)

    server = web.Server(tell_problem, request_factory=make_request)
    wrap_request_factory(server, begin_requests)
    hooks = RequestLifecycle(request_timeout_s=3600, observers=[])
    traffic = Traffic(max_in_flight=1)
    connect = partial(Connection, server, limits=patient(), traffic=traffic, hooks=hooks)
    ours, clients = socket.socketpair()
    _, protocol = await asyncio.get_running_loop().connect_accepted_socket(connect, ours)
    reader, writer = await asyncio.open_connection(sock=clients)
    yield protocol, reader
    writer.close()
    await writer.wait_closed()


async def last_answer(reader: asyncio.StreamReader) -> Answer:
    return parse_answers(await reader.read())[-1]


class TestErrors:
    @pytest.mark.parametrize("earlier", [1, 200])
    async def test_of_the_parser_that_are_not_its_own_are_answered_with_400(
        self, earlier: int
    ) -> None:
        async with connection() as (protocol, reader):
            protocol.data_received(earlier * GOOD)
            protocol.data_received(cast("bytes", "no bytes"))
            assert (await last_answer(reader)).outcome == (400, "INVALID_REQUEST")

    async def test_in_making_a_request_are_a_problem_of_its_target(self) -> None:
        async with connection() as (protocol, reader):
            protocol.data_received(BAD)
            assert (
                await last_answer(reader)
            ).body == b"the host of the request's target is invalid"
