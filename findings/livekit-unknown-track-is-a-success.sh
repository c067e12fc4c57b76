#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, livekit-api 1.2.2, protobuf 7.36.2, livekit 1.2.1 (client).
# Belief:    A mute of a track that does not exist fails; or 'if answer.track:' tells.
# Behaviour: For a participant who is there, an unknown, stale or empty track sid is a 200 whose
#            message has no track. In Python the field reads as an empty message, whose truth
#            value is True and whose 'muted' is False, as after an unmute; only HasField tells. A
#            stale sid is common: each reconnect gives new ones.
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
"$work/venv/bin/pip" install -q --disable-pip-version-check livekit-api==1.2.2 livekit==1.2.1 aiohttp==3.14.5 protobuf==7.36.2
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

from livekit import api, rtc


async def until_up(livekit: api.LiveKitAPI) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                await livekit.room.list_rooms(api.ListRoomsRequest())
                return
            except (OSError, api.ServerError):
                await asyncio.sleep(0.1)

async def join(room: str, identity: str) -> rtc.Room:
    grants = api.VideoGrants(room_join=True, room=room)
    client = rtc.Room()
    token = api.AccessToken().with_identity(identity).with_grants(grants).to_jwt()
    await client.connect(os.environ["LIVEKIT_URL"], token)
    return client

async def main() -> None:
    async with api.LiveKitAPI() as livekit:
        await until_up(livekit)
        client = await join("room", "alice")
        for sid in ("TR_unknown", ""):
            mute = api.MuteRoomTrackRequest(room="room", identity="alice", track_sid=sid, muted=True)
            answer = await livekit.room.mute_published_track(mute)
            print(bool(answer.track), repr(answer.track.sid), answer.track.muted, answer.HasField("track"))
        await client.disconnect()
    print(end="", flush=True)
    os._exit(0)  # threads of the client may outlive the interpreter


asyncio.run(main())
PYTHON
expected="True '' False False
True '' False False"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
