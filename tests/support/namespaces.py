"""Namespaces of Linux, in which a process is process 1 as in a container."""

import subprocess
from functools import cache

AS_PROCESS_1 = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


@cache
def may_unshare() -> bool:
    try:
        return not subprocess.run([*AS_PROCESS_1, "true"], check=False, timeout=60).returncode
    except FileNotFoundError:
        return False
