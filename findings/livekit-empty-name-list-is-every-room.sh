#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2.
# Belief:    ListRooms with names=[] answers with no room, as a filter by names that matches none
#            does.
# Behaviour: An empty list is no filter: every room of the server is listed. Who filters by the
#            names that somebody may see, and has none, gets all of them; protobuf cannot tell
#            empty from absent.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap '{ kill -9 "${pids[@]}"; wait; } 2>/dev/null || true; rm -rf "$work"' EXIT
if [ -z "${LIVEKIT_SERVER:-}" ]; then # a binary of that version that is here already
    GOBIN="$work" go install github.com/livekit/livekit-server/cmd/server@v1.13.5
    LIVEKIT_SERVER="$work/server"
fi
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check livekit-api==1.2.2 aiohttp==3.14.5 protobuf==7.36.2
read -r port tcp udp < <(shuf -n 3 -i 10000-32767 | xargs) # clients take those above
"$LIVEKIT_SERVER" --config-body "{port: $port, bind_addresses: [127.0.0.1],
    keys: {devkey: secret-of-a-test-0123456789-0123456789}, logging: {level: error},
    rtc: {node_ip: 127.0.0.1, interfaces: {includes: [lo]}, enable_loopback_candidate: true,
          tcp_port: $tcp, udp_port: $udp}}" >"$work/log" 2>&1 &
pids+=($!)
export LIVEKIT_URL="http://127.0.0.1:$port" LIVEKIT_API_KEY=devkey
export LIVEKIT_API_SECRET=secret-of-a-test-0123456789-0123456789

cat > "$work/see.py" <<'PYTHON'
import asyncio

from livekit import api


async def until_up(livekit: api.LiveKitAPI) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                await livekit.room.list_rooms(api.ListRoomsRequest())
                return
            except (OSError, api.ServerError):
                await asyncio.sleep(0.1)


async def main() -> None:
    async with api.LiveKitAPI() as livekit:
        await until_up(livekit)
        for name in ("a", "b"):
            await livekit.room.create_room(api.CreateRoomRequest(name=name))
        for names in (["none"], ["a"], []):
            found = await livekit.room.list_rooms(api.ListRoomsRequest(names=names))
            print(names, sorted(room.name for room in found.rooms))


asyncio.run(main())
PYTHON
expected="['none'] []
['a'] ['a']
[] ['a', 'b']"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
