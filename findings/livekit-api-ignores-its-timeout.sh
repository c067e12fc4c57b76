#!/usr/bin/env bash
# Software:  livekit-api 1.2.2 on aiohttp 3.14.5.
# Belief:    LiveKitAPI(timeout=ClientTimeout(total=1)) ends a call after a second.
# Behaviour: each call passes timeout=None on to aiohttp, which means none at all and wins over the
#            session's. A server that accepts and stays silent is waited for without end.
# Seen:      see "expected" below; asyncio.timeout() around the call is what works.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check livekit-api==1.2.2 aiohttp==3.14.5 protobuf==7.36.2

cat > "$work/see.py" <<'PYTHON'
import asyncio

from aiohttp import ClientTimeout
from livekit import api


async def main() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with api.LiveKitAPI(url, "key", "s" * 32, timeout=ClientTimeout(total=1)) as livekit:
        call = asyncio.create_task(livekit.room.list_rooms(api.ListRoomsRequest()))
        done, _ = await asyncio.wait({call}, timeout=8)
        print("after 8 s:", "ended" if done else "still waiting")
        try:
            async with asyncio.timeout(1):
                await call
        except TimeoutError:
            print("asyncio.timeout: ended")


asyncio.run(main())
PYTHON
expected="after 8 s: still waiting
asyncio.timeout: ended"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
