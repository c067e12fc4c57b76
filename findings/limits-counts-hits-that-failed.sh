#!/usr/bin/env bash
# Software:  limits 5.8.0 with redis-py 8.1.0, and redis-server (Debian's 7.0).
# Belief:    A hit that raised, because Redis did not answer in time, was not counted; a refused
#            hit costs nothing.
# Behaviour: The command is in Redis's socket by then: once Redis goes on it is carried out, so
#            callers who were told of an error, and retry, find their quota used. And the fixed
#            window counts refused hits too, which only the stored counter shows.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    'limits[async-redis]==5.8.0' redis==8.1.0

cat > "$work/see.py" <<'PYTHON'
import asyncio
import signal
import socket
import subprocess

import redis.asyncio
from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])


async def main(server: subprocess.Popen[bytes]) -> None:
    stored = redis.asyncio.Redis(port=int(port))
    while True:
        try:
            await stored.ping()
            break
        except redis.ConnectionError:
            await asyncio.sleep(0.1)
    uri = f"async+redis://127.0.0.1:{port}"
    limiter = FixedWindowRateLimiter(RedisStorage(uri, implementation="redispy"))
    two = parse("2/hour")
    print([await limiter.hit(two, "a") for _ in range(5)])
    server.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(1):
            await limiter.hit(two, "b")
    except TimeoutError:
        print("b: gave up")
    server.send_signal(signal.SIGCONT)
    await asyncio.sleep(2)
    for name in ("a", "b"):
        print(name, int(await stored.get(f"LIMITS:LIMITER/{name}/2/1/hour")))
    await stored.aclose()


command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""]
process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
try:
    asyncio.run(main(process))
finally:
    process.kill()
PYTHON
expected="[True, True, False, False, False]
b: gave up
a 5
b 1"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
