"""A machine that systemd starts, in a container of systemd-nspawn, with the image's files."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.built_image import IMAGE, BuiltImage
from tests.support.imports import PROJECT
from tests.support.timeouts import scaled

UNITS = PROJECT / "deploy/systemd"
_PROGRAM = Path(__file__).with_name("in_systemd.py")
_AUDIT_LOG = "AUDIT_LOG=/var/log/livekit-mute"
_INSTALL = """export DEBIAN_FRONTEND=noninteractive
apt-get update -q && apt-get install -q --yes --no-install-recommends systemd"""
_DEMO = """[Service]
ExecStart=
ExecStart=/opt/livekit-mute/bin/livekit-mute serve --gateway in-memory
"""
_TEST = """[Service]
Type=oneshot
ExecStart=/bin/sh -c 'python3 /in_systemd.py >found.json 2>problem.txt; systemctl poweroff --force'
"""


@contextmanager
def machine(image: BuiltImage) -> Iterator[Path]:
    """Make the files of a machine with systemd and the units, as docs/deploy.md says."""
    build = image.builder
    container = build("from", IMAGE)
    build("run", "--isolation", "chroot", "--user", "0", container, "--", "sh", "-c", _INSTALL)
    root = Path(build("mount", container))
    (root / "opt/livekit-mute").symlink_to("/venv")
    units, settings = root / "etc/systemd/system", root / "etc/livekit-mute"
    settings.mkdir()
    for unit in UNITS.glob("*.service"):
        shutil.copy(unit, units)
        drop_in = units / f"{unit.name}.d"
        drop_in.mkdir()
        (drop_in / "demo.conf").write_text(_DEMO)
    example = (UNITS / "livekit-mute.env").read_text()
    (settings / "livekit-mute.env").write_text(f"{example}{_AUDIT_LOG}/audit.jsonl\n")
    (settings / "3002.env").write_text(f"{_AUDIT_LOG}-3002/audit.jsonl\n")
    _write_for_root(settings / "livekit-api-secret", "s3cret-" * 5)
    tenants = [{"id": "tenant-a", "secret": "s3cret-of-tenant-a"}]
    _write_for_root(settings / "api-secrets.json", json.dumps(tenants))
    shutil.copy(_PROGRAM, root)
    (units / "test.service").write_text(_TEST)
    yield root


def boot(root: Path) -> dict[str, Any]:
    """Start the machine, and return what the program in it has found."""
    nspawn = ("systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--boot")
    done = subprocess.run(
        [*nspawn, f"--directory={root}", "systemd.unit=test.service"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=scaled(600),
        check=False,
    )
    problem = root / "problem.txt"
    assert problem.exists(), done.stdout + done.stderr
    assert problem.read_text() == "", problem.read_text()
    found: dict[str, Any] = json.loads((root / "found.json").read_text())
    return found


def _write_for_root(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
