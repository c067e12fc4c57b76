#!/usr/bin/env bash
# Software:  livekit-api 1.2.2 on aiohttp 3.14.5.
# Belief:    A call of LiveKitAPI is one request, as it is in tests on a server of one's own.
# Behaviour: Where the host ends in .livekit.cloud, a call that gets a 5xx or no answer is sent up
#            to three times, also one that changes something and may have been carried out. 503 is
#            how LiveKit reports an absent participant, so a mute of one who left is three mutes.
#            LiveKitAPI(failover=False) turns it off.
# Seen:      "expected" below: requests received, by host. The names are resolved to loopback.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    livekit-api==1.2.2 aiohttp==3.14.5 protobuf==7.36.2

cat > "$work/see.py" <<'PYTHON'
import asyncio
import logging
import socket

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from livekit import api

logging.disable()


class Loopback(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


async def main() -> None:
    received: list[str] = []

    async def fail(request: web.Request) -> web.Response:
        received.append(request.path.rpartition("/")[2])
        return web.json_response({"code": "unavailable", "msg": ""}, status=503)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fail)
    connector = aiohttp.TCPConnector(resolver=Loopback())
    async with TestServer(app) as server, aiohttp.ClientSession(connector=connector) as session:
        for host, options in (
            ("livekit.test", {}),
            ("project.livekit.cloud", {}),
            ("project.livekit.cloud", {"failover": False}),
        ):
            received.clear()
            url = f"http://{host}:{server.port}"
            livekit = api.LiveKitAPI(url, "key", "s" * 32, session=session, **options)
            mute = api.MuteRoomTrackRequest(room="a", identity="b", track_sid="TR_x", muted=True)
            try:
                await livekit.room.mute_published_track(mute)
            except api.ServerError as error:
                print(host, *options, error.code, received.count("MutePublishedTrack"))


asyncio.run(main())
PYTHON
expected="livekit.test unavailable 1
project.livekit.cloud unavailable 3
project.livekit.cloud failover unavailable 1"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
