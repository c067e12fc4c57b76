#!/usr/bin/env bash
# Software:  aiohttp 3.14.5, client.
# Belief:    session.put() or session.delete() sends one request, or raises.
# Behaviour: where a kept connection ends before an answer, GET, PUT and DELETE are sent once more on
#            a new connection, though the first may have been carried out; POST and PATCH raise.
#            There is a switch: _retry_connection, not public.
# Seen:      "expected" below: how often the server received each request on its second use.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check aiohttp==3.14.5

cat > "$work/see.py" <<'PYTHON'
import asyncio

import aiohttp


async def requests_received(method: str) -> str:
    """Use one connection twice; the server reads the second request and closes."""
    received = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while await reader.readuntil(b"\r\n\r\n"):
            received += 1
            if received == 2:
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        outcome = ""
        for _ in range(2):
            try:
                async with session.request(method, url) as response:
                    outcome = str(response.status)
            except aiohttp.ServerDisconnectedError as error:
                outcome = type(error).__name__
    server.close()
    return f"{method} {received - 1} {outcome}"


async def main() -> None:
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH"):
        print(await requests_received(method))


asyncio.run(main())
PYTHON
expected="GET 2 200
PUT 2 200
DELETE 2 200
POST 1 ServerDisconnectedError
PATCH 1 ServerDisconnectedError"
seen=$("$work/venv/bin/python" "$work/see.py" 2>"$work/err")
echo "$seen"
[ "$seen" = "$expected" ]
