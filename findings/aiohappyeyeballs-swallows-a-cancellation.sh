#!/usr/bin/env bash
# Software:  aiohappyeyeballs 2.7.1 on Linux with IPv6 loopback.
# Belief:    A task that is cancelled while it waits for start_connection() is cancelled, as one that
#            waits for the event loop's own create_connection() is.
# Behaviour: At the moment when the second address has connected and the first attempt is being
#            taken back, a cancellation is swallowed: cancel() returns True, and start_connection()
#            returns a socket. What was given up, by a timeout or a shutdown, goes on as if nothing
#            had happened. Task.cancelling() still tells.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check aiohappyeyeballs==2.7.1

cat > "$work/see.py" <<'PYTHON'
import asyncio
import socket
from contextlib import ExitStack

from aiohappyeyeballs import start_connection


def silent(stack: ExitStack) -> int:
    """Open a port of 127.0.0.1 that answers no further attempt: its queue is full."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    while True:
        client = stack.enter_context(socket.socket())
        client.settimeout(0.2)
        try:
            client.connect(listener.getsockname())
        except TimeoutError:
            return listener.getsockname()[1]


async def cancelled_after(turns: int, port: int) -> str:
    """Cancel so many turns of the loop after the second attempt has begun."""
    attempts = []
    both_began = asyncio.Event()

    def make(address):
        attempts.append(address)
        if len(attempts) == 2:
            both_began.set()
        return socket.socket(address[0], address[1])

    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port)),
    ]
    task = asyncio.create_task(
        start_connection(addresses, happy_eyeballs_delay=0.05, socket_factory=make)
    )
    await both_began.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    if not task.cancel():
        return "too late"
    try:
        (await task).close()
    except asyncio.CancelledError:
        return "cancelled"
    return f"connected, though {task.cancelling()} cancellation is pending"


async def main() -> None:
    with ExitStack() as stack:
        port = silent(stack)
        async with await asyncio.start_server(lambda _, writer: writer.close(), "::1", port):
            seen = {await cancelled_after(turns, port) for turns in range(20)}
    print(*sorted(seen), sep="\n")


asyncio.run(main())
PYTHON
expected="cancelled
connected, though 1 cancellation is pending
too late"
seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "$expected" ]
