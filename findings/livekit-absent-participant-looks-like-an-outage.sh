#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2.
# Belief:    Muting a track of somebody who has left is answered with not_found, as GetParticipant
#            is.
# Behaviour: MutePublishedTrack goes to the participant through the message bus, where nobody
#            answers: after 3 s it fails with 'unavailable', the code of an outage, which clients
#            retry. GetParticipant reads the room's store and says not_found at once. The server
#            honours a Twirp header that shortens the wait; the code is then 'canceled'.
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
import os
import time

import aiohttp
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
        mute = api.MuteRoomTrackRequest(room="room", identity="nobody", track_sid="TR_x", muted=True)
        who = api.RoomParticipantIdentity(room="room", identity="nobody")
        for call, asked in ((livekit.room.get_participant, who), (livekit.room.mute_published_track, mute)):
            began = time.monotonic()
            try:
                await call(asked)
            except api.ServerError as error:
                print(call.__name__, error.code, "late" if time.monotonic() - began > 2.5 else "soon")
    grants = api.VideoGrants(room_admin=True, room="room")
    token = api.AccessToken().with_grants(grants).to_jwt()
    headers = {"Authorization": f"Bearer {token}", "X-Twirp-Timeout-Ms": "200"}
    url = os.environ["LIVEKIT_URL"] + "/twirp/livekit.RoomService/MutePublishedTrack"
    asked = {"room": "room", "identity": "nobody", "track_sid": "TR_x", "muted": True}
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, session.post(url, json=asked, headers=headers) as answer:
        found = await answer.json()
        print("with the header", found["code"], "late" if time.monotonic() - began > 2.5 else "soon")


asyncio.run(main())
PYTHON
expected="get_participant not_found soon
mute_published_track unavailable late
with the header canceled soon"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
