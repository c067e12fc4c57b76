#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, two nodes with redis-server (Debian's 7.0), livekit-api 1.2.2,
#            livekit 1.2.1 (client).
# Belief:    A mute's not_found means that the participant is not there; what is in one room has no
#            effect on another.
# Behaviour: Calls about a participant are addressed by the room's name, "_" and the identity. Where
#            room "a_b" has "c" on one node, and room "a" has "b_c" on another, both are at "a_b_c":
#            either node may take a mute, and the wrong one answers not_found, about half of the
#            time, while GetParticipant says ACTIVE.
# Seen:      "expected" below: the answers to 40 mutes of "c", before and after "b_c" joins.
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
read -r port tcp udp redis second tcp2 udp2 < <(shuf -n 7 -i 10000-32767 | xargs) # clients take those above
redis-server --port "$redis" --bind 127.0.0.1 --save '' --dir "$work" >/dev/null &
pids+=($!)
for _ in $(seq 300); do redis-cli -p "$redis" ping >/dev/null 2>&1 && break || sleep 0.1; done
start() { # PORT TCP UDP: the command of a node
    echo "$LIVEKIT_SERVER --config-body '{port: $1, bind_addresses: [127.0.0.1],
        redis: {address: \"127.0.0.1:$redis\"}, logging: {level: error},
        keys: {devkey: secret-of-a-test-0123456789-0123456789},
        rtc: {node_ip: 127.0.0.1, interfaces: {includes: [lo]}, enable_loopback_candidate: true,
              tcp_port: $2, udp_port: $3}}' >'$work/log' 2>&1"
}
bash -c "exec $(start "$port" "$tcp" "$udp")" &
pids+=($!)
export REDIS="$redis" LIVEKIT_URL="http://127.0.0.1:$port" LIVEKIT_API_KEY=devkey
export LIVEKIT_API_SECRET=secret-of-a-test-0123456789-0123456789

cat > "$work/see.py" <<'PYTHON'
import asyncio
import os
import subprocess
import sys

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

async def outcomes(livekit: api.LiveKitAPI) -> str:
    """Mute "c" and look them up; an unknown track is a 200."""
    who = {"room": "a_b", "identity": "c"}
    seen = set()
    for _ in range(40):
        try:
            mute = api.MuteRoomTrackRequest(**who, track_sid="TR_x", muted=True)
            await livekit.room.mute_published_track(mute)
            seen.add("200")
        except api.ServerError as error:
            seen.add(error.code)
    found = await livekit.room.get_participant(api.RoomParticipantIdentity(**who))
    return f"{' or '.join(sorted(seen))}, {api.ParticipantInfo.State.Name(found.state)}"


def nodes() -> set[str]:
    command = ["redis-cli", "-p", os.environ["REDIS"], "hkeys", "nodes"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


async def main() -> None:
    start_second, port = sys.argv[1:]
    async with api.LiveKitAPI() as livekit:
        await until_up(livekit)
        await join("a_b", "c")
        first = nodes()
        second = await asyncio.create_subprocess_shell("exec " + start_second)
        try:
            async with api.LiveKitAPI(f"http://127.0.0.1:{port}") as other:
                await until_up(other)
            while not (new := nodes() - first):
                await asyncio.sleep(0.1)
            print("alone:", await outcomes(livekit))
            await livekit.room.create_room(api.CreateRoomRequest(name="a", node_id=new.pop()))
            await join("a", "b_c")
            print("both:", await outcomes(livekit))
        finally:
            second.kill()
            sys.stdout.flush()
            os._exit(0)


asyncio.run(main())
PYTHON
expected="alone: 200, ACTIVE
both: 200 or not_found, ACTIVE"
seen=$("$work/venv/bin/python" "$work/see.py" "$(start "$second" "$tcp2" "$udp2")" "$second")
echo "$seen"
[ "$seen" = "$expected" ]
