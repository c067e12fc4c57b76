"""Measure a cluster: through its proxy and directly, and while parts of it are killed.

``python -m tests.cluster.measure --livekit-server=PATH`` takes about three minutes and prints the
tables of ``docs/cluster.md``. It measures the machine as much as the software.
"""

import asyncio
import os
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import aiohttp
from attrs import frozen
from cattrs import structure

from benchmarks.load import run_load
from benchmarks.load_config import Exchange
from benchmarks.processes import running
from benchmarks.scenarios import SECRET_OF_OWNER, one_track_per_room
from benchmarks.service import OWNERS_SECRET, cpu_us, load_config
from benchmarks.targets import Targets
from contract.rooms import ALICE, publish
from domain.track import Participant, TrackSid
from tests.cluster.__main__ import parsed_arguments, run_livekit
from tests.cluster.cluster import Cluster, run_cluster
from tests.support.livekit_cluster import ClusterNode
from tests.support.redis_server import RedisServer
from tests.support.replica import Replica
from tests.support.rooms.real import rooms_on
from tests.support.service import MUTE

ROUNDS = 9
SECONDS = 1.0
TRIALS = 3
ROOMS = 4  # on each node
AWAY_S = 2.0
Part = ClusterNode | Replica | RedisServer
Track = tuple[Participant, TrackSid]


def main() -> None:
    """Measure, and print two tables in Markdown."""
    arguments = parsed_arguments(__doc__)
    with (
        TemporaryDirectory() as folder,
        run_livekit(arguments, Path(folder)) as livekit,
        run_cluster(livekit, Path(folder), AUTH_API_SECRETS_JSON=OWNERS_SECRET) as cluster,
    ):
        print(f"{os.cpu_count()} processors, LiveKit {livekit.version}, {ROUNDS} rounds\n")
        _compare(cluster, Path(folder))
        print("\n| killed | rooms | answers | failed | longest, s | last failure after, s |")
        print("|---|---|---|---|---|---|")
        parts: list[Part] = [cluster.nodes[0], cluster.replicas[0], livekit.redis]
        for part in parts:
            asyncio.run(_kill_repeatedly(cluster, part))


def _compare(cluster: Cluster, folder: Path) -> None:
    """Print requests per second and latencies through the proxy and without it."""
    key = {
        "LIVEKIT_URL": cluster.livekit_proxy.url,
        "LIVEKIT_API_KEY": cluster.livekit.api_key,
        "LIVEKIT_API_SECRET": cluster.livekit.api_secret,
    }
    program = ["benchmarks.participants", "--prefix=measured", "--participants=1"]
    with running(program, key, folder) as participants:
        exchanges = one_track_per_room(structure(participants.ready, Targets))
        print("| connections | way | requests/s | p50, ms | nginx's CPU a request, µs |")
        print("|---|---|---|---|---|")
        for connections in (1, 16):
            found = _rounds(cluster, exchanges, connections)
            for way, row in found.items():
                middle = [f"{median(values):.4g}" for values in zip(*row, strict=True)]
                print(f"| {connections} | {way} | {' | '.join(middle)} |")
            ratios = [
                [one / other for one, other in zip(proxy[:2], direct[:2], strict=True)]
                for proxy, direct in zip(found["proxy"], found["direct"], strict=True)
            ]
            middle = [f"{median(values):.2f}" for values in zip(*ratios, strict=True)]
            print(f"| {connections} | ratio | {' | '.join(middle)} | |")


def _rounds(
    cluster: Cluster, exchanges: Sequence[Exchange], connections: int
) -> Mapping[str, list[list[float]]]:
    """Measure both ways in turn; each row has requests/s, p50 in ms, and CPU of nginx in µs."""
    ways = {"direct": cluster.replicas[0].url, "proxy": cluster.proxy.url}
    found = defaultdict(list)
    for number in range(ROUNDS):
        for way in sorted(ways, reverse=bool(number % 2)):
            config = load_config(ways[way], exchanges, connections=connections, seconds=SECONDS)
            loaded = run_load(config, lambda: {"nginx": cpu_us(_nginx(cluster))})
            result = loaded.result
            found[way].append(
                [result.requests / result.elapsed_s, result.p50_ms, loaded.used["nginx"]]
            )
    return found


def _nginx(cluster: Cluster) -> Sequence[int]:
    assert cluster.proxy.process
    own = cluster.proxy.process.pid
    return [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]


@frozen
class Answer:
    """How long a request took, when it was answered, and how."""

    taken_s: float
    ended_s: float
    code: str


async def _kill_repeatedly(cluster: Cluster, part: Part) -> None:
    """Print what callers get while a part is killed, and started again."""
    found: dict[str, list[tuple[Sequence[Answer], float]]] = defaultdict(list)
    for _ in range(TRIALS):
        async with AsyncExitStack() as stack:
            groups: dict[str, list[Track]] = {}
            for node in cluster.nodes:
                name = (
                    "on it" if node is part else "on the other" if part in cluster.nodes else "all"
                )
                rooms = await stack.enter_async_context(rooms_on(node))
                for _ in range(ROOMS):
                    room = await rooms.open(metadata='{"auth_id": "tenant-a"}')
                    groups.setdefault(name, []).append(await publish(rooms, ALICE, room))
            answers, killed_s = await _kill(cluster, part, groups)
            for name, its in answers.items():
                found[name].append((its, killed_s))
    for name, trials in found.items():
        print(_row(type(part).__name__, name, trials), flush=True)


def _row(part: str, rooms: str, trials: Sequence[tuple[Sequence[Answer], float]]) -> str:
    codes = Counter(each.code for its, _ in trials for each in its)
    number = codes.pop("OK", 0) + codes.total()
    failed = ", ".join(f"{times} {code}" for code, times in codes.items()) or "0"
    longest_s = median(max(each.taken_s for each in its) for its, _ in trials)
    last_s = median(
        max([each.ended_s - killed_s for each in its if each.code != "OK"], default=0.0)
        for its, killed_s in trials
    )
    return f"| {part} | {rooms} | {number} | {failed} | {longest_s:.2f} | {last_s:.2f} |"


async def _kill(
    cluster: Cluster,
    part: Part,
    groups: Mapping[str, Sequence[Track]],
) -> tuple[Mapping[str, Sequence[Answer]], float]:
    """Mute each track of each group again and again meanwhile."""
    answers: dict[str, list[Answer]] = {name: [] for name in groups}
    async with aiohttp.ClientSession() as session:
        callers = [
            asyncio.create_task(_mute_on(session, cluster.proxy.url, track, answers[name]))
            for name, tracks in groups.items()
            for track in tracks
        ]
        await asyncio.sleep(0.5)
        killed_s = time.monotonic()
        await asyncio.to_thread(part.kill)
        await asyncio.sleep(AWAY_S)
        await asyncio.to_thread(part.start)
        await asyncio.sleep(AWAY_S + 4)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    return answers, killed_s


async def _mute_on(
    session: aiohttp.ClientSession, url: str, track: Track, answers: list[Answer]
) -> None:
    who, sid = track
    body = {"room_name": who.room, "participant_identity": who.identity, "track_sid": sid}
    headers = {"Authorization": f"Bearer {SECRET_OF_OWNER}"}
    while True:
        began_s = time.monotonic()
        async with session.post(
            url + MUTE, json={**body, "muted": True}, headers=headers
        ) as answer:
            code = (await answer.json()).get("code", "OK")
        ended_s = time.monotonic()
        answers.append(Answer(ended_s - began_s, ended_s, code))
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    main()
