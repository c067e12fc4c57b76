"""Kustomizations, built by kustomize."""

import subprocess
from pathlib import Path


def built(folder: Path) -> str:
    """Build a kustomization; return its manifests, in YAML."""
    done = subprocess.run(
        ["kustomize", "build", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # deprecated fields are warned of
    return done.stdout
