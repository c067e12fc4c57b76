#!/usr/bin/env bash
# Software:  livekit-server 1.13.5 with redis-server (Debian's 7.0), livekit-api 1.2.2, livekit
#            1.2.1 (client).
# Belief:    not_found from GetParticipant means that nobody of that identity is in the room.
# Behaviour: After Redis has restarted empty, GetParticipant denies participants whose connection
#            never broke, and whose mutes still work, until something about them changes. What
#            reads the store and what goes through the message bus disagree.
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
read -r port tcp udp redis < <(shuf -n 4 -i 10000-32767 | xargs) # clients take those above
redis-server --port "$redis" --bind 127.0.0.1 --save '' --dir "$work" >/dev/null &
pids+=($!)
for _ in $(seq 300); do redis-cli -p "$redis" ping >/dev/null 2>&1 && break || sleep 0.1; done
export REDIS="$redis"
"$LIVEKIT_SERVER" --config-body "{port: $port, bind_addresses: [127.0.0.1], redis: {address: \"127.0.0.1:$redis\"},
    keys: {devkey: secret-of-a-test-0123456789-0123456789}, logging: {level: error},
    rtc: {node_ip: 127.0.0.1, interfaces: {includes: [lo]}, enable_loopback_candidate: true,
          tcp_port: $tcp, udp_port: $udp}}" >"$work/log" 2>&1 &
pids+=($!)
export LIVEKIT_URL="http://127.0.0.1:$port" LIVEKIT_API_KEY=devkey
export LIVEKIT_API_SECRET=secret-of-a-test-0123456789-0123456789

cat > "$work/see.py" <<'PYTHON'
import asyncio
import os
import subprocess

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

async def outcome(livekit: api.LiveKitAPI, sid: str) -> str:
    who = {"room": "room", "identity": "alice"}
    try:
        found = (await livekit.room.get_participant(api.RoomParticipantIdentity(**who))).identity
    except api.ServerError as error:
        found = error.code
    try:
        mute = api.MuteRoomTrackRequest(**who, track_sid=sid, muted=True)
        muted = str((await livekit.room.mute_published_track(mute)).track.muted)
    except api.ServerError as error:
        muted = error.code
    return f"{found} {muted}"


async def main() -> None:
    async with api.LiveKitAPI() as livekit:
        await until_up(livekit)
        client = await join("room", "alice")
        track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48000, 1))
        sid = (await client.local_participant.publish_track(track)).sid
        print("before:", await outcome(livekit, sid))
        restart = (f"redis-cli -p {os.environ['REDIS']} shutdown nosave; sleep 1;"
                   f" redis-server --port {os.environ['REDIS']} --bind 127.0.0.1 --save '' --daemonize yes")
        subprocess.run(restart, shell=True, stdout=subprocess.DEVNULL, check=True)
        try:
            for _ in range(200):
                await asyncio.sleep(0.1)
                if (seen := await outcome(livekit, sid)).endswith("True"):
                    break
            print("after:", seen, client.connection_state == rtc.ConnectionState.CONN_CONNECTED)
        finally:
            subprocess.run(["redis-cli", "-p", os.environ["REDIS"], "shutdown", "nosave"])
        await client.disconnect()
    print(end="", flush=True)
    os._exit(0)  # threads of the client may outlive the interpreter


asyncio.run(main())
PYTHON
expected="before: alice True
after: not_found True True"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
