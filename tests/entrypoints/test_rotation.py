"""A rotation, watched in the log as docs/log.md shows."""

import asyncio
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.entrypoints.test_reload import ask as send
from tests.entrypoints.test_reload import reload
from tests.support.command import Run, Running
from tests.support.imports import PROJECT

FAR = 253_402_300_799
DOCUMENT = (PROJECT / "docs" / "log.md").read_text()


async def ask(running: Running, token: str) -> None:
    """Have something muted, and wait for the event, which comes behind the response."""
    before = len(running.events)
    await send(running, token)
    running.wait_for("request", after=before)


def credentials(running: Running) -> list[tuple[object, ...]]:
    """Return who called with what, of every request."""
    names = ("caller_id", "source", "credential")
    requests = [event for event in running.events if event["event"] == "request"]
    return [tuple(event.get(name) for name in names) for event in requests]


def entry(secret: str, **name: str) -> Mapping[str, str]:
    return {"id": "tenant-a", "secret": secret, **name}


async def test_of_secrets_shows_which_is_in_use(start: Run, tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    old, new = entry("s3cret-old", name="2026-05"), entry("s3cret-new")
    file.write_text(json.dumps([old, new]))
    running = start("--gateway", "in-memory", AUTH_API_SECRETS_FILE=str(file))
    for token in ("s3cret-old", "s3cret-new", "s3cret-none"):
        await ask(running, token)
    file.write_text(json.dumps([new]))
    reload(running)
    for token in ("s3cret-old", "s3cret-new"):
        await ask(running, token)
    assert credentials(running) == [
        ("tenant-a", "api-secrets", "2026-05"),
        ("tenant-a", "api-secrets", "#2"),
        (None, None, None),
        (None, None, None),
        ("tenant-a", "api-secrets", "#1"),  # it has moved up
    ]
    assert "s3cret" not in running.log.read_text()


async def test_of_keys_shows_which_is_in_use(start: Run, tmp_path: Path) -> None:
    old, new = (ECKey.generate_key("P-256", private=True) for _ in range(2))
    file = tmp_path / "keys"
    public = [{**key.as_dict(private=False), "use": "sig"} for key in (old, new)]
    file.write_text(json.dumps({"keys": [{**public[0], "kid": "2026-05"}, public[1]]}))
    running = start(
        "--gateway", "in-memory", AUTH_JWT_PUBLIC_KEY_PATH=str(file), AUTH_JWT_AUDIENCE="mute"
    )
    claims = {"sub": "tenant-a", "aud": "mute", "exp": FAR}
    for key, header in ((old, {"kid": "2026-05"}), (new, {}), (new, {"kid": "other"})):
        await ask(running, jwt.encode({"alg": "ES256", **header}, claims, key))
    expired, forged = {**claims, "exp": 1}, ECKey.generate_key("P-256", private=True)
    for given, key in ((expired, old), (claims, forged)):
        await ask(running, jwt.encode({"alg": "ES256", "kid": "2026-05"}, given, key))
    assert credentials(running) == [
        ("tenant-a", "signed-tokens", "2026-05"),
        ("tenant-a", "signed-tokens", "#2"),
        ("tenant-a", "signed-tokens", "#2"),
        (None, "signed-tokens", "2026-05"),
        (None, None, None),
    ]


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's command needs jq")
async def test_is_counted_by_the_command_of_the_page(start: Run, tmp_path: Path) -> None:
    [command] = re.findall(r"^jq .*$", DOCUMENT, re.MULTILINE)
    [example] = re.findall(r"```json\n(\[.*?\])\n```", DOCUMENT, re.DOTALL)
    old, new = json.loads(example)
    listed = [{**old, "secret": "s3cret-old"}, {**new, "secret": "s3cret-new"}]
    running = start("--gateway", "in-memory", AUTH_API_SECRETS_JSON=json.dumps(listed))
    for token in ("s3cret-old", "s3cret-new", "s3cret-new", "s3cret-none"):
        await ask(running, token)
    (tmp_path / "log").write_bytes(running.log.read_bytes())
    shell = ["bash", "-c", command]
    counted = await asyncio.to_thread(subprocess.check_output, shell, cwd=tmp_path, text=True)
    uses: Counter[tuple[str, ...]] = Counter()
    for number, hour, *use in map(
        str.split, counted.splitlines()
    ):  # the test may last into a new hour
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d", hour)
        uses[tuple(use)] += int(number)
    assert uses == {
        ("tenant-a", "2026-05", "127.0.0.1"): 1,
        ("tenant-a", "2026-11", "127.0.0.1"): 2,
    }
