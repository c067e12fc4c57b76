"""The image, built by Buildah from deploy/Dockerfile, and run from its files.

The base image cannot be fetched everywhere, so a stand-in is made of Debian's packages: the same
release of Debian and of Python, and pip where that image has it. Nothing is left behind.
"""

import os
import shlex
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen

from tests.support.imports import PROJECT

DOCKERFILE = PROJECT / "deploy/Dockerfile"
BASE = "localhost/python:3.13-slim"
IMAGE = "localhost/livekit-mute"
_DEBOOTSTRAP = (
    "debootstrap",
    "--variant=minbase",
    "--include=python3,python3-venv,ca-certificates",
    "trixie",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_READ_ONLY = (
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && mount -t proc proc "$0/proc"'
    ' && mount --bind /dev "$0/dev" && exec chroot "$@"'
)
"""A script that runs a command in a folder that nobody can write to."""


@frozen
class Builder:
    """Buildah, with a storage of its own."""

    storage: Path

    def __call__(self, *arguments: str | Path) -> str:
        """Run it and return what it wrote.

        Raises:
            CalledProcessError: it failed; standard error says why.
        """
        folders = ("--root", self.storage / "root", "--runroot", self.storage / "run")
        return subprocess.run(
            ["buildah", *folders, "--storage-driver", "overlay", *arguments],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()

    def build(self, context: Path) -> None:
        """Build the image, with the certificates that this machine trusts."""
        trusted = Path(ssl.get_default_verify_paths().cafile or "").resolve()
        self(
            *("build-using-dockerfile", "--isolation", "chroot", "--format", "docker", "--layers"),
            *("--build-arg", f"PYTHON_IMAGE={BASE}", "--tag", IMAGE, "--file", DOCKERFILE),
            *("--ignorefile", DOCKERFILE.with_name("Dockerfile.dockerignore")),
            *("--volume", f"{trusted}:/etc/ssl/certs/ca-certificates.crt:ro", "--quiet", context),
        )

    def inspect(self) -> Mapping[str, Any]:
        """Return what the image says of itself, as Docker names it."""
        inspected: dict[str, Any] = yaml.safe_load(self("inspect", "--type", "image", IMAGE))
        return inspected["Docker"]  # type: ignore[no-any-return]

    def layers(self) -> Sequence[str]:
        """Return the digest of each of the image's layers."""
        layers: list[str] = self.inspect()["rootfs"]["diff_ids"]
        return layers


@frozen
class BuiltImage:
    """An image whose files are in ``root``."""

    builder: Builder
    root: Path
    config: Mapping[str, Any] = field(repr=False)

    def command(self, *words: str, **variables: str) -> Sequence[str]:
        """Return the command that runs words in the image: process 1, as its user, read-only."""
        user = f"--userspec={self.config['User']}"
        environment = [*self.config["Env"], *(f"{name}={it}" for name, it in variables.items())]
        namespaces = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        inside = (user, self.root, "env", "-i", *environment, *words)
        return [*namespaces, "sh", "-c", _READ_ONLY, str(self.root), *map(str, inside)]

    def run(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run words in the image to their end."""
        return subprocess.run(
            self.command(*words, **variables), capture_output=True, text=True, check=False
        )


@contextmanager
def built_image(folder: Path) -> Iterator[BuiltImage]:
    """Build the image in a folder, which is removed in the end."""
    builder = Builder(folder / "containers")
    try:
        _make_base(builder, folder / "debian")
        builder.build(PROJECT)
        container = builder("from", IMAGE)
        yield BuiltImage(builder, Path(builder("mount", container)), builder.inspect()["config"])
    finally:
        builder("rm", "--all")
        _unmount(builder.storage / "root/overlay")
        shutil.rmtree(folder)


def _make_base(builder: Builder, debian: Path) -> None:
    mirror = _mirror()
    # In a namespace of its own, so that what debootstrap mounts is gone with it.
    subprocess.run(["unshare", "--mount", *_DEBOOTSTRAP, debian, *mirror], check=True)
    container = builder("from", "scratch")
    builder("add", "--quiet", container, debian)
    builder("config", "--env", f"PATH={_PATH}", container)
    builder(
        "run", "--isolation", "chroot", container, "--", *shlex.split("python3 -m venv /usr/local")
    )
    builder("commit", "--quiet", "--rm", container, BASE)
    shutil.rmtree(debian)


def _mirror() -> Sequence[str]:
    """Return the mirror of Debian that apt uses, or none for debootstrap's own choice."""
    if not shutil.which("apt-get"):
        return []
    form = ("--format", "$(SITE) $(LABEL)", "Created-By: Packages")
    listed = subprocess.run(
        ["apt-get", "indextargets", *form], capture_output=True, text=True, check=True
    ).stdout
    sites = [line.split()[0] for line in listed.splitlines() if line.endswith(" Debian")]
    return sites[:1]


def _unmount(folder: Path) -> None:
    """Unmount a folder if it is mounted, as Buildah leaves that of its storage."""
    if os.path.ismount(folder):
        subprocess.run(["umount", folder], check=True)
