"""Measure what the model of docs/growth.md is made of, and compute its table.

``python -m benchmarks.growth --livekit-server=PATH`` takes about four minutes. ``--constants FILE``
computes the table anew from the constants that it has written.
"""

import argparse
import json
import math
import os
import resource
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen
from cattrs import structure, unstructure

from benchmarks.load import run_load
from benchmarks.load_config import LoadConfig
from benchmarks.processes import running
from benchmarks.scenarios import (
    one_track,
    one_track_per_room,
    one_track_without_id,
    room_of_another_tenant,
)
from benchmarks.service import (
    OWNERS_SECRET,
    Measured,
    cpu_us,
    load_config,
    measured_service,
    pss_mb,
)
from benchmarks.targets import Targets
from tests.support.livekit_cluster import LiveKitCluster, run_livekit_cluster
from tests.support.livekit_server import LiveKitServer, run_livekit_server
from tests.support.server_process import ServerProcess

_ROUNDS = 5
_SECONDS = 1.0
_CONNECTIONS = (1, 4, 16, 64)
_WORKERS = (1, 2, 4)
_IDLE = (100, 2_000)
_TENANTS = (10, 10_000)
_LOOKUPS_AT_ONCE = 16  # adapters/livekit/room_lookup.py
_BUSY = 0.5  # part of a core that is planned with; the rest is for peaks and for a lost replica
_RATES = (10, 1_000, 100_000)
_LATENCY_S = 0.01
_FEWEST = 2
_IDLE_S = 2.0


@frozen(kw_only=True)
class Constants:
    """What was measured: microseconds of CPU time, and MB (proportional set sizes)."""

    own_us: float
    """Of this service for a request, at 64 connections to one process."""
    own_alone_us: float
    """The same at one connection, where nothing is shared with other requests."""
    livekit_us: float
    """Of two LiveKit nodes for a request, at 16 connections."""
    livekit_alone_us: float
    redis_us: float
    """Of the Redis that joins them."""
    redis_alone_us: float
    process_mb: float
    connection_mb: float
    tenant_mb: float


def calls(connections: float, processes: int) -> float:
    """Return the LiveKit calls of a request: a mute, and its part of a lookup.

    About a third of a process's requests in flight are in one lookup.
    """
    return 1 + 1 / min(_LOOKUPS_AT_ONCE, max(1.0, connections / processes / 3))


def table(constants: Constants) -> Iterator[str]:
    """Compute what a number of mutes a second needs, as the rows of a table.

    A LiveKit cluster has one Redis, which uses one core, and a process serves one cluster.
    """
    yield (
        "| mutes a second | LiveKit clusters | LiveKit cores | Redis cores | LiveKit calls a mute"
        " | processes | in flight in each | memory, GB |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for rate in _RATES:
        in_flight = rate * _LATENCY_S
        is_alone = in_flight < 1
        own_us = constants.own_alone_us if is_alone else constants.own_us
        livekit_us = constants.livekit_alone_us if is_alone else constants.livekit_us
        redis_us = constants.redis_alone_us if is_alone else constants.redis_us
        clusters = math.ceil(_cores(rate, redis_us))
        processes = clusters * max(_FEWEST, math.ceil(_cores(rate / clusters, own_us)))
        mb = constants.process_mb + _TENANTS[-1] * constants.tenant_mb
        memory_gb = processes * (mb + _IDLE[-1] * constants.connection_mb) / 1000
        yield (
            f"| {rate:,} | {clusters} | {_cores(rate, livekit_us):,.2f}"
            f" | {_cores(rate, redis_us):,.2f} | {calls(in_flight, processes):.2f}"
            f" | {processes} | {in_flight / processes:,.1f} | {memory_gb:.1f} |"
        )


def _cores(rate: float, us: float) -> float:
    """Return how many cores do so much for each request, with what is kept free."""
    return rate * us / 1e6 / _BUSY


def main() -> None:
    """Measure, unless constants are given, and print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--livekit-server", type=Path, help="LiveKit's binary")
    group.add_argument("--constants", type=Path, help="a file that this program has written")
    parser.add_argument("--redis-server", type=Path, default=shutil.which("redis-server"))
    arguments = parser.parse_args()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    if arguments.constants:
        constants = structure(json.loads(arguments.constants.read_text()), Constants)
    else:
        with TemporaryDirectory() as folder:
            constants = _measure(arguments.livekit_server, arguments.redis_server, Path(folder))
        Path("growth.json").write_text(json.dumps(unstructure(constants), indent=1) + "\n")
    print("\n".join(table(constants)))


def _measure(livekit: Path, redis: Path, folder: Path) -> Constants:
    print(f"{os.cpu_count()} processors, {_ROUNDS} rounds of {_SECONDS} s\n")
    alone_us, busy_us = _load(folder)
    process_mb, connection_mb, tenant_mb = _memory(folder)
    print("| nodes | call | connections | CPU of | µs |\n|---|---|---|---|---|")
    with run_livekit_server(livekit, remote_unmute=True) as server:
        _livekit(server, {"LiveKit": [_pid(server)]}, folder)
    with run_livekit_cluster(livekit, redis, remote_unmute=True) as cluster:
        nodes = [_pid(cluster.room_node), _pid(cluster.service_node)]
        found = _livekit(cluster, {"LiveKit": nodes, "Redis": [_pid(cluster.redis)]}, folder)
    print()
    return Constants(
        own_us=busy_us,
        own_alone_us=alone_us,
        livekit_us=found["both", 16, "LiveKit"],
        livekit_alone_us=found["both", 1, "LiveKit"],
        redis_us=found["both", 16, "Redis"],
        redis_alone_us=found["both", 1, "Redis"],
        process_mb=process_mb,
        connection_mb=connection_mb,
        tenant_mb=tenant_mb,
    )


def _load(folder: Path) -> tuple[float, float]:
    """Print CPU time and calls by connections and processes; return the CPU time at 1 and 64."""
    print("| processes | connections | requests/s | own CPU, µs | LiveKit calls | by the formula |")
    print("|---|---|---|---|---|---|")
    own_us = {}
    for workers in _WORKERS:
        with measured_service(folder, workers) as service:
            exchanges = one_track_per_room(service.targets)
            for connections in _CONNECTIONS:
                runs = [
                    service.load(connections=connections, exchanges=exchanges, seconds=_SECONDS)
                    for _ in range(_ROUNDS)
                ]
                own_us[workers, connections] = median(each.used["cpu_us"] for each in runs)
                rate = median(each.result.requests / each.result.elapsed_s for each in runs)
                made = median(each.used["livekit_calls"] for each in runs)
                print(
                    f"| {workers} | {connections} | {rate:,.0f}"
                    f" | {own_us[workers, connections]:.0f} | {made:.2f}"
                    f" | {calls(connections, workers):.2f} |",
                    flush=True,
                )
    return own_us[1, 1], own_us[1, _CONNECTIONS[-1]]


def _memory(folder: Path) -> tuple[float, float, float]:
    """Print and return the MB of a process, of an idle connection and of a tenant."""
    by_idle, by_tenants = {}, {}
    for idle in _IDLE:
        with measured_service(folder, 1) as service:
            by_idle[idle] = _mb_with_idle(service, idle)
    for tenants in _TENANTS:
        own = json.loads(OWNERS_SECRET)
        entries = [{"id": f"tenant-{n}", "secret": secrets.token_hex(16)} for n in range(tenants)]
        path = folder / "tenants.json"
        path.write_text(json.dumps([*own, *entries]))
        settings = {"AUTH_API_SECRETS_JSON": "", "AUTH_API_SECRETS_FILE": str(path)}
        with measured_service(folder, 1, **settings) as service:
            service.load(connections=1)
            by_tenants[tenants] = sum(pss_mb(service))
    connection_mb = (by_idle[_IDLE[1]] - by_idle[_IDLE[0]]) / (_IDLE[1] - _IDLE[0])
    tenant_mb = (by_tenants[_TENANTS[1]] - by_tenants[_TENANTS[0]]) / (_TENANTS[1] - _TENANTS[0])
    process_mb = by_tenants[_TENANTS[0]]
    print(
        f"\na process {process_mb:.1f} MB, an idle connection {1000 * connection_mb:.1f} kB,"
        f" a tenant {1000 * tenant_mb:.2f} kB\n"
    )
    return process_mb, connection_mb, tenant_mb


def _livekit(
    livekit: LiveKitServer | LiveKitCluster, pids: Mapping[str, Sequence[int]], folder: Path
) -> Mapping[tuple[str, int, str], float]:
    """Print and return the CPU time of a real LiveKit's processes for calls, by connections."""
    key = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }
    serve = ["entrypoints.main", "serve", "--port", "0"]
    participate = ["benchmarks.participants", "--prefix=growth", "--participants=1"]
    found: dict[tuple[str, int, str], float] = {}
    with ExitStack() as stack:
        participants = stack.enter_context(running(participate, key, folder))
        targets = structure(participants.ready, Targets)
        open_to_all = stack.enter_context(running(serve, key, folder)).url
        guarded = {**key, "AUTH_API_SECRETS_JSON": OWNERS_SECRET}
        for_tenants = stack.enter_context(running(serve, guarded, folder)).url
        for call, connections, url, exchanges in (
            ("mute", 1, open_to_all, one_track_without_id(targets)),
            ("lookup", 1, for_tenants, room_of_another_tenant(targets)),
            ("both", 1, for_tenants, one_track_per_room(targets)),
            ("both", 16, for_tenants, one_track_per_room(targets)),
        ):
            config = load_config(url, exchanges, connections=connections, seconds=_SECONDS)
            for name, us in _cpu_us(config, pids).items():
                found[call, connections, name] = us
                number = len(pids["LiveKit"])
                print(f"| {number} | {call} | {connections} | {name} | {us:.0f} |", flush=True)
    return found


def _cpu_us(config: LoadConfig, pids: Mapping[str, Sequence[int]]) -> Mapping[str, float]:
    """Return the CPU time of processes for a request, less what they use without requests."""

    def read() -> Mapping[str, float]:
        return {"s": time.monotonic(), **{name: cpu_us(its) for name, its in pids.items()}}

    before = read()
    time.sleep(_IDLE_S)
    idle = {name: value - before[name] for name, value in read().items()}
    runs = [run_load(config, read).used for _ in range(_ROUNDS)]
    return {
        name: median(each[name] - each["s"] * idle[name] / idle["s"] for each in runs)
        for name in pids
    }


def _mb_with_idle(service: Measured, number: int) -> float:
    """Return the memory of a service while connections are open on which nothing is sent."""
    sizes: list[float] = []

    def read() -> Mapping[str, float]:
        sizes.append(sum(pss_mb(service)))
        return {}

    url, exchanges = service.service.url, one_track(service.targets)
    run_load(load_config(url, exchanges, connections=1, idle_connections=number), read)
    return sizes[-1]


def _pid(server: ServerProcess) -> int:
    assert server.process
    return server.process.pid


if __name__ == "__main__":
    main()
