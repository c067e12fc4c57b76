"""What is not an HTTP/1.1 answer, or not surely one, is an error."""

from collections.abc import Mapping

import pytest

from adapters.http_client.errors import InvalidAnswerError
from tests.adapters.http_client.raw_servers import (
    CHUNKED,
    OK,
    client_of,
    head,
    in_bytes,
    outcome,
    with_length,
)
from tests.support.connection_handlers import sends

CODINGS = (
    *("", ",", "gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked"),
    *("xchunked", "chunkedx", "chunked;q=1", '"chunked"', "\vchunked"),
    *("chunked\r\nTransfer-Encoding: gzip", "gzip\r\nTransfer-Encoding: chunked"),
    *("chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding:"),
)
INVALID: Mapping[str, bytes] = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "HTTP/0.9": b"ok",
    "101": head(status="101 Switching Protocols"),
    "101 with an upgrade": head("Connection: upgrade\r\nUpgrade: x\r\n", "101 Switching"),
    "101 and an answer": head(status="101 Switching Protocols") + OK,
    "101 with an upgrade, and an answer": head("Connection: upgrade\r\nUpgrade: x\r\n", "101 S")
    + OK,
    "a 1xx with a body": with_length(b"ok", status="199 ?") + OK,
    "both lengths": head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
    "both lengths, swapped": head("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n") + b"ok",
    "two lengths": with_length(b"ok", "Content-Length: 3\r\n") + b"k",
    "two equal lengths": with_length(b"ok", "Content-Length: 2\r\n"),
    "a list of lengths": head("Content-Length: 2, 2\r\n") + b"ok",
    "a negative length": head("Content-Length: -2\r\n") + b"ok",
    "a length with a sign": head("Content-Length: +2\r\n") + b"ok",
    "a length in hex": head("Content-Length: 0x2\r\n") + b"ok",
    "a length with an underscore": head("Content-Length: 0_2\r\n") + b"ok",
    "a length of 2**64": head(f"Content-Length: {1 << 64}\r\n") + b"ok",
    "an empty length": head("Content-Length:\r\n") + b"ok",
    "a folded length": head("Content-Length: 2\r\n 2\r\n") + b"ok",
    "a name with a space": head("Content-Length : 2\r\n") + b"ok",
    "bare line feeds": OK.replace(b"\r\n", b"\n"),
    "a zero byte": head("X: \0\r\n"),
    "30 digits of chunk size": CHUNKED + b"f" * 30 + b"\r\n",
    "a negative chunk": CHUNKED + b"-2\r\nok\r\n0\r\n\r\n",
    "a chunk in 0x": CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
    "a chunk too long": CHUNKED + b"2\r\noks\r\n0\r\n\r\n",
    "a chunk without an end": CHUNKED + b"2\r\nok0\r\n\r\n",
    **{
        f"transfer coding {name!r}": head(f"Transfer-Encoding: {name}\r\n")
        + b"2\r\nok\r\n0\r\n\r\n"
        for name in (
            *("gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked", "", ","),
            *(
                "xchunked",
                "chunkedx",
                "chunked;q=1",
                '"chunked"',
                "chunked\r\nX-A: b\r\nX:",
                "\vchunked",
            ),
        )
        if "X-A" not in name
    },
}


class TestInvalidAnswer:
    @pytest.mark.parametrize("name", INVALID)
    @pytest.mark.parametrize("is_whole", [True, False], ids=["one packet", "byte by byte"])
    async def test_is_an_error(self, name: str, is_whole: bool) -> None:
        sent = INVALID[name]
        async with client_of(sends(*([sent] if is_whole else in_bytes(sent)))) as (client, server):
            found = await outcome(client)
            assert type(found) is InvalidAnswerError
            await server.until_open(0)
