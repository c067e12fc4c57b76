"""Files that change under the service, and what a reload says that has changed."""

import asyncio
import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from entrypoints.container import Container
from entrypoints.reload import reloading
from entrypoints.settings.changes import changes
from entrypoints.settings.settings import Settings, load_settings
from tests.entrypoints.conftest import write_key
from tests.entrypoints.test_reload import FAILED, ask, reload_with
from tests.entrypoints.test_watch import publish
from tests.support.command import Run


def keys_in(folder: Path, *numbers: int) -> bytes:
    """Return public keys in PEM, made at their first use."""
    pems = []
    for number in numbers:
        file = folder / f"key-{number}"
        if not file.exists():
            file.write_bytes(ECKey.generate_key("P-256").as_pem(private=False))
        pems.append(file.read_bytes())
    return b"".join(pems)


class TestChanges:
    def test_are_counted(self, tmp_path: Path, signing_key: str) -> None:
        keys = tmp_path / "keys"
        keys.write_bytes(keys_in(tmp_path, 1, 2))
        common = {
            "AUTH_JWT_PUBLIC_KEY_PATH": str(keys),
            "AUTH_SIGNING_KEY_PATH": signing_key,
            "AUTH_SERVICE_URL": "https://auth.example.com",
            "LIVEKIT_API_KEY": "key",
        }
        secrets = (
            {"a": ["s3cret-1", "s3cret-2"], "b": ["s3cret-3"], "c": ["s3cret-4"]},
            {"a": ["s3cret-1", "s3cret-5"], "b": ["s3cret-4"], "d": ["s3cret-6", "s3cret-7"]},
        )
        before, after = (
            json.dumps([{"id": id_, "secret": each} for id_ in of for each in of[id_]])
            for of in secrets
        )
        old = load_settings({**common, "AUTH_API_SECRETS_JSON": before})
        write_key(Path(signing_key), private=True)
        keys.write_bytes(keys_in(tmp_path, 2, 3, 4))
        changed = {"AUTH_API_SECRETS_JSON": after, "LIVEKIT_API_SECRET": "s3cret"}
        new = load_settings({**common, **changed})
        assert changes(old, new) == {
            "tenants_added": 1,
            "tenants_removed": 1,
            "secrets_added": 4,
            "secrets_removed": 3,
            "keys_added": 4,
            "keys_removed": 3,
        }
        assert set(changes(new, new).values()) == {0}


def load_never() -> Settings:
    raise NotImplementedError


class TestReloadOnChange:
    """In place of signals: the service looks at the files."""

    async def test_accepts_a_secret_that_kubernetes_swaps_in_and_fails_once_for_a_bad_one(
        self, start: Run, tmp_path: Path
    ) -> None:
        texts = [json.dumps([{"id": "tenant-a", "secret": f"s3cret-{n}"}]) for n in (1, 2)]
        publish(tmp_path, "1", texts[0])
        (tmp_path / "secret").symlink_to("..data/secret")
        running = start(
            "--gateway",
            "in-memory",
            AUTH_API_SECRETS_FILE=str(tmp_path / "secret"),
            RELOAD_ON_CHANGE="true",
        )
        assert [await ask(running, f"s3cret-{n}") for n in (1, 2)] == [200, 401]
        publish(tmp_path, "2", texts[1])
        running.wait_for("reloaded")
        assert [await ask(running, f"s3cret-{n}") for n in (1, 2)] == [401, 200]
        publish(tmp_path, "3", "[")
        running.wait_for(FAILED)
        before = len(running.events)
        (tmp_path / "secret").unlink()
        running.wait_for(FAILED, after=before)
        before = len(running.events)
        (tmp_path / "secret").symlink_to("..v1/secret")
        running.wait_for("reloaded", after=before)
        assert [await ask(running, f"s3cret-{n}") for n in (1, 2)] == [200, 401]
        outcomes = [each for each in running.events if "reload" in str(each["event"])]
        assert [each["event"] for each in outcomes] == ["reloaded", FAILED, FAILED, "reloaded"]
        assert outcomes[0]["secrets_added"] == outcomes[0]["secrets_removed"] == 1

    @pytest.mark.parametrize(("wanted", "tasks"), [("false", 1), ("true", 2)])
    async def test_is_off_unless_it_is_wanted(self, wanted: str, tasks: int) -> None:
        container = Container(settings=load_settings({"RELOAD_ON_CHANGE": wanted}))
        before = asyncio.all_tasks()
        async with reloading(asyncio.Event(), reload_with(container, load_never)):
            assert len(asyncio.all_tasks() - before) == tasks

    def test_warns_where_no_setting_names_a_file(self) -> None:
        settings = load_settings({"RELOAD_ON_CHANGE": "true", "AUTH_API_SECRET": "s3cret"})
        assert "RELOAD_ON_CHANGE has no effect: no setting names a file" in settings.warnings
