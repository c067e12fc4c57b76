"""The reference: the shortest correct handler that one would write by hand.

It uses the fastest libraries, and livekit-api as documented, which signs a token for each call.
It validates no request, writes no log and has no limits.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator

import orjson
import uvloop
from aiohttp import web
from livekit.api import ListRoomsRequest, LiveKitAPI, MuteRoomTrackRequest

_LIVEKIT = web.AppKey("livekit", LiveKitAPI)
_TENANTS = web.AppKey("tenants", dict[str, str])


async def mute(request: web.Request) -> web.Response:
    """Mute a track; check the room's owner first if there are API secrets."""
    payload = orjson.loads(await request.read())
    rooms = request.app[_LIVEKIT].room
    if request.app[_TENANTS]:
        tenant = request.app[_TENANTS].get(request.headers["Authorization"][len("Bearer ") :])
        if tenant is None:
            return _error(401, "UNAUTHORIZED")
        found = (await rooms.list_rooms(ListRoomsRequest(names=[payload["room_name"]]))).rooms
        if not found or orjson.loads(found[0].metadata)["auth_id"] != tenant:
            return _error(404, "ROOM_NOT_FOUND")
    answer = await rooms.mute_published_track(
        MuteRoomTrackRequest(
            room=payload["room_name"],
            identity=payload["participant_identity"],
            track_sid=payload["track_sid"],
            muted=payload["muted"],
        )
    )
    if not answer.HasField("track"):
        return _error(404, "TRACK_NOT_FOUND")
    payload["muted"] = answer.track.muted
    return web.Response(body=orjson.dumps(payload), content_type="application/json")


def _error(status: int, code: str) -> web.Response:
    body = orjson.dumps({"error": code, "code": code})
    return web.Response(status=status, body=body, content_type="application/json")


async def live(_: web.Request) -> web.Response:
    """Answer the liveness probe."""
    return web.Response(body=b'{"status":"OK"}', content_type="application/json")


async def hold_livekit(app: web.Application) -> AsyncIterator[None]:
    """Keep one LiveKit client, created as its documentation shows, while the server runs."""
    async with LiveKitAPI() as livekit:  # LIVEKIT_URL and the rest from the environment
        app[_LIVEKIT] = livekit
        yield


async def serve() -> None:
    """Serve until the process is stopped; print the URL in one line of JSON."""
    app = web.Application()
    secrets = json.loads(os.environ.get("AUTH_API_SECRETS_JSON", "[]"))
    app[_TENANTS] = {each["secret"]: each["id"] for each in secrets}
    app.cleanup_ctx.append(hold_livekit)
    app.router.add_get("/", live)
    app.router.add_post("/livekit/participant/mute", mute)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve as the environment says."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
