#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2.
# Belief:    api.enable_psrpc_for_get_list_participants changes how GetParticipant is routed, not
#            what it answers.
# Behaviour: With it, GetParticipant in a room that does not exist is 'unavailable' after 3 s
#            instead of not_found at once: a missing room looks like an outage. In a room that is
#            there, an absent identity is still not_found at once.
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
"$LIVEKIT_SERVER" --config-body "{port: $port, bind_addresses: [127.0.0.1], api: {enable_psrpc_for_get_list_participants: true},
    keys: {devkey: secret-of-a-test-0123456789-0123456789}, logging: {level: error},
    rtc: {node_ip: 127.0.0.1, interfaces: {includes: [lo]}, enable_loopback_candidate: true,
          tcp_port: $tcp, udp_port: $udp}}" >"$work/log" 2>&1 &
pids+=($!)
export LIVEKIT_URL="http://127.0.0.1:$port" LIVEKIT_API_KEY=devkey
export LIVEKIT_API_SECRET=secret-of-a-test-0123456789-0123456789

cat > "$work/see.py" <<'PYTHON'
import asyncio
import time

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
        await livekit.room.create_room(api.CreateRoomRequest(name="room"))
        for room in ("room", "missing"):
            began = time.monotonic()
            try:
                await livekit.room.get_participant(api.RoomParticipantIdentity(room=room, identity="bob"))
            except api.ServerError as error:
                print(room, error.code, "late" if time.monotonic() - began > 2.5 else "soon")


asyncio.run(main())
PYTHON
expected="room not_found soon
missing unavailable late"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
