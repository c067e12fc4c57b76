#!/usr/bin/env bash
# Software:  uvloop 0.23.0 beside asyncio of Python 3.11, Linux.
# Belief:    What call_soon() has scheduled runs before anything that arrives afterwards, and before
#            what has arrived already but is not read yet: uvloop keeps asyncio's order.
# Behaviour: asyncio runs it first, in every case. uvloop runs a callback of add_reader() first where
#            the descriptor is readable already, and data_received() of a transport too: both are
#            called straight from the poll, which lies between two rounds of what is called soon. So
#            "in the next turn" is behind a message that came in this turn. A task that the message
#            wakes still comes behind.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check uvloop==0.23.0

cat > "$work/see.py" <<'PYTHON'
import asyncio
import socket

import uvloop


class Protocol(asyncio.Protocol):
    def __init__(self, seen):
        self.seen = seen

    def data_received(self, data):
        self.seen.append("data_received")


async def with_reader(loop, near, far, seen):
    loop.add_reader(near.fileno(), lambda: (near.recv(1), seen.append("reader")))


async def with_transport(loop, near, far, seen):
    await loop.connect_accepted_socket(lambda: Protocol(seen), near)


async def with_task(loop, near, far, seen):
    async def read():
        await loop.sock_recv(near, 1)
        seen.append("task")

    tasks.append(asyncio.create_task(read()))
    await asyncio.sleep(0)


tasks = []


async def order(listen):
    loop, seen = asyncio.get_running_loop(), []
    near, far = socket.socketpair()
    near.setblocking(False)
    await listen(loop, near, far, seen)
    await asyncio.sleep(0.05)
    far.send(b"x")  # is there before anything is called soon
    loop.call_soon(seen.append, "soon")
    await asyncio.sleep(0.05)
    return " ".join(seen)


for name, factory in (("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop)):
    for listen in (with_reader, with_transport, with_task):
        with asyncio.Runner(loop_factory=factory) as runner:
            print(name, listen.__name__, runner.run(order(listen)))
PYTHON
expected="asyncio with_reader soon reader
asyncio with_transport soon data_received
asyncio with_task soon task
uvloop with_reader reader soon
uvloop with_transport data_received soon
uvloop with_task soon task"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
