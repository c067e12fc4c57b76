#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2.
# Belief:    ListParticipants of a room that does not exist is not_found, as GetParticipant in it is.
# Behaviour: It is a success with nobody in it, as that of an empty room: a mistyped room name looks
#            like a room that everybody has left. Only ListRooms tells them apart.
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
        await livekit.room.create_room(api.CreateRoomRequest(name="empty"))
        for room in ("empty", "missing"):
            listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
            print("ListParticipants", room, len(listed.participants))
            try:
                await livekit.room.get_participant(api.RoomParticipantIdentity(room=room, identity="bob"))
            except api.ServerError as error:
                print("GetParticipant", room, error.code)


asyncio.run(main())
PYTHON
expected="ListParticipants empty 0
GetParticipant empty not_found
ListParticipants missing 0
GetParticipant missing not_found"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
