#!/usr/bin/env bash
# Software:  livekit-server 1.13.5, two nodes with redis-server (Debian's 7.0), livekit-api 1.2.2,
#            livekit 1.2.1 (client).
# Belief:    Where a node was killed, the other one soon drops its rooms; a participant who is
#            ACTIVE can be reached.
# Behaviour: Half a minute later the other node still lists the room, and says ACTIVE of its
#            participant, while each mute is 'unavailable' after 3 s. Nothing in an answer tells
#            such a ghost from a room in use. DeleteRoom fails and removes nothing; CreateRoom,
#            which brings the room to life elsewhere, and then DeleteRoom remove it.
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
first=$!
pids+=("$first")
export LIVEKIT_URL="http://127.0.0.1:$port" LIVEKIT_API_KEY=devkey
export LIVEKIT_API_SECRET=secret-of-a-test-0123456789-0123456789

cat > "$work/see.py" <<'PYTHON'
import asyncio
import os
import signal
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

async def outcome(livekit: api.LiveKitAPI) -> list[object]:
    rooms = (await livekit.room.list_rooms(api.ListRoomsRequest(names=["room"]))).rooms
    who = {"room": "room", "identity": "alice"}
    try:
        found = await livekit.room.get_participant(api.RoomParticipantIdentity(**who))
        seen = api.ParticipantInfo.State.Name(found.state)
    except api.ServerError as error:
        seen = error.code
    try:
        mute = api.MuteRoomTrackRequest(**who, track_sid="TR_x", muted=True)
        await livekit.room.mute_published_track(mute)
        return [len(rooms), seen, "reached"]
    except api.ServerError as error:
        return [len(rooms), seen, error.code]


async def main() -> None:
    first, start_second, port = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    async with api.LiveKitAPI() as livekit:
        await until_up(livekit)
        await join("room", "alice")
    second = await asyncio.create_subprocess_shell("exec " + start_second)
    try:
        async with api.LiveKitAPI(f"http://127.0.0.1:{port}") as livekit:
            await until_up(livekit)
            print("two nodes:", *await outcome(livekit))
            os.kill(first, signal.SIGKILL)
            await asyncio.sleep(30)
            print("one killed:", *await outcome(livekit))
            for remove in (
                lambda: livekit.room.delete_room(api.DeleteRoomRequest(room="room")),
                lambda: livekit.room.create_room(api.CreateRoomRequest(name="room")),
                lambda: livekit.room.delete_room(api.DeleteRoomRequest(room="room")),
            ):
                try:
                    print("then", type(await remove()).__name__, end=": ")
                except api.ServerError as error:
                    print("then", error.code, end=": ")
                print(len((await livekit.room.list_rooms(api.ListRoomsRequest(names=["room"]))).rooms))
    finally:
        second.kill()
        sys.stdout.flush()
        os._exit(0)


asyncio.run(main())
PYTHON
expected="two nodes: 1 ACTIVE reached
one killed: 1 ACTIVE unavailable
then unavailable: 1
then Room: 1
then DeleteRoomResponse: 0"
seen=$("$work/venv/bin/python" "$work/see.py" "$first" "$(start "$second" "$tcp2" "$udp2")" "$second")
echo "$seen"
[ "$seen" = "$expected" ]
