#!/usr/bin/env bash
# Software:  aiohttp 3.14.5 (server), Python 3.11.
# Belief:    The server's data_received() runs once for each packet, and reading is resumed only where
#            a body had been so large that it was paused.
# Behaviour: Whenever a handler reads a body, however small, aiohttp calls data_received(b"") once
#            more, which runs its parser on nothing, and it resumes the transport's reading twice,
#            though it was never paused. A request without a body costs neither.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check aiohttp==3.14.5

cat > "$work/see.py" <<'PYTHON'
import asyncio

from aiohttp import web

seen = []


class Handler(web.RequestHandler):
    __slots__ = ()

    def data_received(self, data):
        seen.append(f"{len(data)} bytes")
        super().data_received(data)

    def pause_reading(self):
        seen.append("pause")
        super().pause_reading()

    def resume_reading(self, resume_parser=True):
        seen.append("resume")
        super().resume_reading(resume_parser)


async def answer(request):
    await request.read()
    return web.Response()


async def main():
    loop = asyncio.get_running_loop()
    server = web.Server(answer)
    listening = await loop.create_server(lambda: Handler(server, loop=loop), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    for body in (b"", b"{}"):
        seen.clear()
        writer.write(head % len(body) + body)
        await reader.readuntil(b"\r\n\r\n")
        print(f"{len(body)} bytes of body:", ", ".join(seen))
    writer.close()
    listening.close()
    await server.shutdown()


asyncio.run(main())
PYTHON
expected="0 bytes of body: 47 bytes
2 bytes of body: 49 bytes, resume, resume, 0 bytes"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
