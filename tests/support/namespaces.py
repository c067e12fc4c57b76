"""Namespaces of Linux, in which a process is process 1 as in a container."""

import subprocess
from functools import cache

AS_PROCESS_1 = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


@cache
def may_unshare() -> bool:
    return _can(*AS_PROCESS_1, "true")


@cache
def may_mount() -> bool:
    return _can("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")


def _can(*command: str) -> bool:
    try:
        return not subprocess.run(command, check=False, timeout=60).returncode
    except FileNotFoundError:
        return False
