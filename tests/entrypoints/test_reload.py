"""SIGHUP: the files that settings name are read again, without an effect on requests."""

import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
import structlog
from joserfc import jwt
from joserfc.jwk import ECKey
from pytest_aiohttp import AiohttpServer

from contract.livekit_double import LiveKitDouble
from contract.livekit_rooms import LiveKitRooms
from entrypoints.container import Container
from entrypoints.http.limits import Limits
from entrypoints.logs import Stderr
from entrypoints.metrics.metrics import Metrics
from entrypoints.reload import Reload, reloading
from entrypoints.settings.settings import Settings, load_settings
from tests.support.command import Run, Running
from tests.support.service import DEMO_REQUEST, MUTE

FAILED = "reload failed, keeping the previous settings"


async def ask(running: Running, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{running.url}{MUTE}", json=DEMO_REQUEST, headers=headers) as answer,
    ):
        return answer.status


def reload(running: Running, outcome: str = "reloaded") -> None:
    before = len(running.events)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for(outcome, after=before)


def warnings_of(running: Running) -> list[str]:
    """Return what was warned of, by whatever library."""
    return [
        str(event.get("problem", event["event"]))
        for event in running.events
        if event["level"] == "warning"
    ]


class TestReload:
    async def test_accepts_new_secrets_and_rejects_old_ones(
        self, start: Run, tmp_path: Path
    ) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text('[{"id": "tenant-a", "secret": "first"}]')
        running = start("--gateway", "in-memory", AUTH_API_SECRETS_FILE=str(secrets))
        secrets.write_text('[{"id": "tenant-a", "secret": "second"}]')
        assert [await ask(running, token) for token in ("first", "second")] == [200, 401]
        reload(running)
        assert [await ask(running, token) for token in ("first", "second")] == [401, 200]

    @pytest.mark.parametrize(
        "broken", ["", "[", "[]", '[{"id": "tenant-a", "secret": "a b"}]', None]
    )
    async def test_keeps_the_old_ones_where_a_file_is_invalid(
        self, start: Run, tmp_path: Path, broken: str | None
    ) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text('[{"id": "tenant-a", "secret": "first"}]')
        running = start("--gateway", "in-memory", AUTH_API_SECRETS_FILE=str(secrets))
        if broken is None:
            secrets.unlink()
        else:
            secrets.write_text(broken)
        reload(running, FAILED)
        [event] = [event for event in running.events if event["level"] == "error"]
        assert str(event["reason"]).startswith("AUTH_API_SECRETS_FILE: ")
        assert await ask(running, "first") == 200

    async def test_accepts_tokens_under_new_public_keys(self, start: Run, tmp_path: Path) -> None:
        old, new = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
        file = tmp_path / "public.pem"
        file.write_bytes(old.as_pem(private=False))
        running = start("--gateway", "in-memory", AUTH_JWT_PUBLIC_KEY_PATH=str(file))
        claims = {"sub": "tenant-a", "exp": 4_000_000_000}
        tokens = [jwt.encode({"alg": "ES256"}, claims, key) for key in (old, new)]
        assert [await ask(running, token) for token in tokens] == [200, 401]
        file.write_bytes(new.as_pem(private=False))
        reload(running)
        assert [await ask(running, token) for token in tokens] == [401, 200]

    async def test_uses_a_new_api_key_for_livekit(
        self, start: Run, tmp_path: Path, aiohttp_server: AiohttpServer
    ) -> None:
        double = LiveKitDouble(
            api_key="new-key",
            api_secret="a-new-secret-of-at-least-32-characters",
            rooms=LiveKitRooms(remote_unmute=True, absent_wait_s=60.0),
        )
        livekit = await aiohttp_server(double.app())
        key, secret = tmp_path / "key", tmp_path / "secret"
        key.write_text("old-key\n")
        secret.write_text("an-old-secret-of-at-least-32-characters\n")
        running = start(
            LIVEKIT_URL=str(livekit.make_url("/")),
            LIVEKIT_API_KEY_FILE=str(key),
            LIVEKIT_API_SECRET_FILE=str(secret),
        )
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{running.url}/readyz") as before:
                assert before.status == 503
            key.write_text(f"{double.api_key}\n")
            secret.write_text(f"{double.api_secret}\n")
            reload(running)
            async with session.get(f"{running.url}/readyz") as after:
                assert after.status == 200

    async def test_warns_once_of_a_short_secret_of_livekit(
        self, start: Run, tmp_path: Path, aiohttp_server: AiohttpServer
    ) -> None:
        """And not once for each token that is signed with it, as PyJWT does."""
        double = LiveKitDouble(api_key="key", api_secret="short", rooms=LiveKitRooms())
        livekit, secret = await aiohttp_server(double.app()), tmp_path / "secret"
        secret.write_text(double.api_secret)
        running = start(
            LIVEKIT_URL=str(livekit.make_url("/")),
            LIVEKIT_API_KEY=double.api_key,
            LIVEKIT_API_SECRET_FILE=str(secret),
            AUTH_API_SECRET="first",
        )
        assert [await ask(running, "first") for _ in range(2)] == [404, 404]
        assert len(warnings_of(running)) == 1
        reload(running)
        assert await ask(running, "first") == 404
        assert len(warnings_of(running)) == 1
        secret.write_text("a-secret-of-at-least-32-characters")
        reload(running)
        secret.write_text(double.api_secret)
        reload(running)
        assert await ask(running, "first") == 404
        [_, problem] = warnings_of(running)
        assert problem.startswith("LIVEKIT_API_SECRET is shorter than 32 bytes")

    async def test_loses_no_request(self, start: Run, tmp_path: Path) -> None:
        secrets = tmp_path / "secrets"
        entries = ", ".join(f'{{"id": "t{n}", "secret": "secret-{n}"}}' for n in range(5000))
        text = f'[{{"id": "tenant-a", "secret": "kept"}}, {entries}]'
        secrets.write_text(text)
        running = start("--gateway", "in-memory", AUTH_API_SECRETS_FILE=str(secrets))
        done = asyncio.Event()
        statuses: list[int] = []

        async def ask_on(session: aiohttp.ClientSession) -> None:
            while not done.is_set():
                async with session.post(f"{running.url}{MUTE}", json=DEMO_REQUEST) as answer:
                    statuses.append(answer.status)

        headers = {"Authorization": "Bearer kept"}
        async with aiohttp.ClientSession(headers=headers) as session:
            clients = [asyncio.create_task(ask_on(session)) for _ in range(10)]
            for broken in (False, True) * 3:
                secrets.write_text("[" if broken else text)
                outcome = FAILED if broken else "reloaded"
                await asyncio.to_thread(reload, running, outcome)
            done.set()
            await asyncio.gather(*clients)
        assert set(statuses) == {200}
        assert len(statuses) > 10


def reload_with(container: Container, load: Callable[[], Settings]) -> Reload:
    return Reload(
        container=container,
        load=load,
        log=structlog.get_logger(),
        reopen=lambda: None,
        observer=Metrics(limits=Limits(), log=Stderr()),
    )


async def test_a_reload_replaces_the_one_before_and_blocks_no_request() -> None:
    """Overrides must not pile up, each with its secrets; files are read in a thread."""
    container = Container(settings=load_settings({}))
    hangup, loads = asyncio.Event(), asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def load() -> Settings:
        assert threading.current_thread() is not threading.main_thread()
        loop.call_soon_threadsafe(loads.release)
        return load_settings({"AUTH_API_SECRET": "s3cret"})

    async with reloading(hangup, reload_with(container, load)):
        for _ in range(3):
            before = container.settings()
            hangup.set()
            await loads.acquire()
            while container.settings() is before:  # noqa: ASYNC110 - assigned by the task
                await asyncio.sleep(0)
    assert len(container.settings.overridden) == 1
