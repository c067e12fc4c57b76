#!/usr/bin/env bash
# Software:  watchfiles 1.3.0 on Linux.
# Belief:    awatch() of the file of a mounted secret tells of each new version of it.
# Behaviour: Kubernetes mounts secret -> ..data/secret and ..data -> a folder of each version, and
#            swaps ..data. A watch on the file tells of the first version that goes, and of none
#            after it. A watch on the folder tells of each, but never names the file itself: a
#            filter by its path drops all. Watch the folder, and read the file on any change.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    watchfiles==1.3.0
mkdir "$work/mount"

cat > "$work/see.py" <<'PYTHON'
import asyncio
import os
import shutil
import sys
from pathlib import Path

from watchfiles import awatch

folder = Path(sys.argv[1])
secret = folder / "secret"


def publish(version: int) -> None:
    """Swap versions as the kubelet does."""
    (folder / f"..v{version}").mkdir()
    (folder / f"..v{version}" / "secret").write_text(str(version))
    (folder / "..tmp").symlink_to(f"..v{version}")
    os.replace(folder / "..tmp", folder / "..data")
    shutil.rmtree(folder / f"..v{version - 1}", ignore_errors=True)


async def main() -> None:
    publish(1)
    secret.symlink_to("..data/secret")
    told: dict[Path, list[set[str]]] = {secret: [], folder: []}

    async def watch(path: Path) -> None:
        async for changes in awatch(path):
            told[path].append({name for _, name in changes})

    watching = [asyncio.create_task(watch(path)) for path in told]
    await asyncio.sleep(2)
    for version in (2, 3, 4):
        publish(version)
        await asyncio.sleep(4)
    print("file:", len(told[secret]))
    print("folder:", len(told[folder]), any(str(secret) in each for each in told[folder]))
    for each in watching:
        each.cancel()


asyncio.run(main())
PYTHON
expected="file: 1
folder: 3 False"
seen=$("$work/venv/bin/python" "$work/see.py" "$work/mount")
echo "$seen"
[ "$seen" = "$expected" ]
