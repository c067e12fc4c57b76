#!/usr/bin/env bash
# Software:  uvloop 0.23.0 on Linux.
# Belief:    loop.getaddrinfo() answers as the standard library's loop does; uvloop is a drop-in
#            replacement.
# Behaviour: The scope of a link-local IPv6 address is dropped: fe80::1%lo comes back with scope 0
#            where asyncio and socket give the interface's index. What connects or binds to the
#            result fails, or uses another interface, only under uvloop.
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

INDEX = socket.if_nametoindex("lo")


async def scope() -> str:
    loop = asyncio.get_running_loop()
    [(*_, address)] = await loop.getaddrinfo("fe80::1%lo", 80, type=socket.SOCK_STREAM)
    return "of the interface" if address[3] == INDEX else str(address[3])


print("asyncio:", asyncio.run(scope()))
print("uvloop:", uvloop.run(scope()))
PYTHON
expected="asyncio: of the interface
uvloop: 0"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
