"""Run a cluster on loopback until Ctrl-C: ``make cluster``.

It consists of two LiveKit nodes joined by Redis, two replicas of the service and nginx, with a
participant on each node.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from domain.room import RoomName
from domain.track import Participant, ParticipantIdentity, TrackSid
from tests.cluster.cluster import SECRETS, Cluster, run_cluster
from tests.robustness.participant_process import participant_process
from tests.support.livekit_cluster import LiveKitCluster, run_livekit_cluster
from tests.support.rooms.real import rooms_on
from tests.support.service import MUTE

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OWNER = "tenant-a"
_RATE = "200/second"


def main() -> None:
    arguments = parsed_arguments(__doc__)
    for number in _SIGNALS:
        signal.signal(number, _exit)
    with (
        TemporaryDirectory() as folder,
        run_livekit(arguments, Path(folder)) as livekit,
        run_cluster(
            livekit,
            Path(folder),
            RATE_LIMIT_PER_TENANT=_RATE,
            RATE_LIMIT_STORAGE_URL=f"{livekit.redis.url}/1",
        ) as cluster,
    ):
        asyncio.run(_show(cluster))


def run_livekit(
    arguments: argparse.Namespace, folder: Path
) -> AbstractContextManager[LiveKitCluster]:
    """Run two nodes, and a Redis that keeps its data in a folder."""
    return run_livekit_cluster(
        arguments.livekit_server, arguments.redis_server, remote_unmute=True, redis_folder=folder
    )


def parsed_arguments(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    redis = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    parser.add_argument("--livekit-server", type=Path, required=True, help="LiveKit's binary")
    parser.add_argument("--redis-server", type=Path, default=redis, help="Redis's binary")
    return parser.parse_args()


def _exit(_number: int, _frame: object) -> NoReturn:
    """Exit by an exception, so that all that was started is ended, and let nothing stop that."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit()


async def _show(cluster: Cluster) -> NoReturn:
    async with AsyncExitStack() as stack:
        tracks = []
        for number, node in enumerate(cluster.nodes, 1):
            rooms = await stack.enter_async_context(rooms_on(node))
            metadata = json.dumps({"auth_id": _OWNER})
            room = await rooms.open(RoomName(f"demo-room-{number}"), metadata=metadata)
            alice = Participant(room=room, identity=ParticipantIdentity("alice"))
            client = await stack.enter_async_context(participant_process(node, alice))
            tracks += [(alice, sid) for sid in await client.tracks()]
        print(_text(cluster, tracks), flush=True)
        await asyncio.get_running_loop().create_future()
    raise AssertionError


def _text(cluster: Cluster, tracks: Sequence[tuple[Participant, TrackSid]]) -> str:
    first, second = cluster.nodes
    curls = "\n\n".join(
        f"Mute {who.identity} in {who.room}, on {node.url}:\n\n{_curl(cluster, who, sid)}"
        for node, (who, sid) in zip(cluster.nodes, tracks, strict=True)
    )
    replicas = "\n".join(
        f"replica        {each.url}, its log is {each.running.log}" for each in cluster.replicas
    )
    secrets = ", ".join(f"{tenant}: {secret}" for tenant, secret in SECRETS.items())
    return f"""
proxy          {cluster.proxy.url}, for callers
{replicas}
LiveKit        {cluster.livekit_proxy.url} before {first.url} and {second.url}
Redis          {cluster.livekit.redis.url}
API secrets    {secrets}
rate           {_RATE} for each tenant, over both replicas

For `lk`, and for `livekit-mute tracks {tracks[0][0].room}`:

export LIVEKIT_URL={cluster.livekit_proxy.url} LIVEKIT_API_KEY={cluster.livekit.api_key} \
LIVEKIT_API_SECRET={cluster.livekit.api_secret}

{curls}

Ctrl-C ends all of it."""


def _curl(cluster: Cluster, participant: Participant, sid: TrackSid) -> str:
    body = {
        "room_name": participant.room,
        "participant_identity": participant.identity,
        "track_sid": sid,
        "muted": True,
    }
    return (
        f"curl '{cluster.proxy.url}{MUTE}' -H 'Content-Type: application/json'"
        f" -H 'Authorization: Bearer {SECRETS[_OWNER]}' -d '{json.dumps(body)}'"
    )


if __name__ == "__main__":
    main()
