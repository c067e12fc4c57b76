#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2.
# Belief:    CreateRoom with metadata and limits, answered with 200, has set them.
# Behaviour: On a room that is there everything in the request is dropped in silence, and the
#            answer is the old room. An owner or a limit given in this way is not set;
#            UpdateRoomMetadata sets metadata.
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
        await livekit.room.create_room(api.CreateRoomRequest(name="room", metadata="first"))
        wanted = api.CreateRoomRequest(name="room", metadata="second", max_participants=2)
        answer = await livekit.room.create_room(wanted)
        print("create:", answer.metadata, answer.max_participants)
        change = api.UpdateRoomMetadataRequest(room="room", metadata="third")
        await livekit.room.update_room_metadata(change)
        [room] = (await livekit.room.list_rooms(api.ListRoomsRequest())).rooms
        print("update:", room.metadata)


asyncio.run(main())
PYTHON
expected="create: first 0
update: third"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
