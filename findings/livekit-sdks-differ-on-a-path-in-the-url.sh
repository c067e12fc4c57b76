#!/usr/bin/env bash
# Software:  livekit-server-sdk 2.19.2 (npm, Node 20 or newer), livekit-api 1.2.2 (Python).
# Belief:    A LiveKit behind a proxy under a path (https://host/media) is reached by that URL in
#            each SDK.
# Behaviour: Python appends its own path to the URL's; npm drops the URL's path without a word and
#            asks the host's root, where another service may answer.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    livekit-api==1.2.2 aiohttp==3.14.5 protobuf==7.36.2
npm install --silent --no-fund --no-audit --prefix "$work" livekit-server-sdk@2.19.2 >/dev/null

cat > "$work/see.mjs" <<'JS'
import { RoomServiceClient } from "livekit-server-sdk";
await new RoomServiceClient(process.argv[2], "key", "s".repeat(32)).listRooms();
JS
cat > "$work/see.py" <<'PYTHON'
import asyncio
import sys

from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api


async def main() -> None:
    async def tell(request: web.Request) -> web.Response:
        print(request.content_type, request.path, flush=True)
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/{path:.*}", tell)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}/media"
        async with api.LiveKitAPI(url, "key", "s" * 32) as livekit:
            try:
                await livekit.room.list_rooms(api.ListRoomsRequest())
            except Exception:
                pass  # the answer is JSON, which this SDK does not read
        node = await asyncio.create_subprocess_exec("node", sys.argv[1], url)
        await node.wait()


asyncio.run(main())
PYTHON
expected="application/protobuf /media/twirp/livekit.RoomService/ListRooms
application/json /twirp/livekit.RoomService/ListRooms"
seen=$("$work/venv/bin/python" "$work/see.py" "$work/see.mjs")
echo "$seen"
[ "$seen" = "$expected" ]
