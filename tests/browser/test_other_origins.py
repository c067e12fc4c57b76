"""A program on a page of another origin, in a real browser."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from tests.browser.origins import fetch, page_of_its_own
from tests.entrypoints.conftest import write_key
from tests.support.command import Run, Running
from tests.support.server_process import free_ports
from tests.support.service import DEMO_REQUEST, MUTE
from tests.support.timeouts import scaled

pytestmark = pytest.mark.browser

TOKEN, OTHER_TOKEN = "s3cret-of-a", "s3cret-of-b"
SECRETS = json.dumps([{"id": "tenant-a", "secret": TOKEN}, {"id": "b", "secret": OTHER_TOKEN}])
FAILED = {"failed": "TypeError"}


@pytest.fixture
def allowed() -> Iterator[str]:
    with page_of_its_own() as origin:
        yield origin


@pytest.fixture
def stranger() -> Iterator[str]:
    with page_of_its_own() as origin:
        yield origin


@pytest.fixture
def service(start: Run, allowed: str) -> Running:
    return start(
        *("--gateway", "in-memory"),
        AUTH_API_SECRETS_JSON=SECRETS,
        CORS_ALLOWED_ORIGINS=allowed,
        RATE_LIMIT_PER_TENANT="2/hour",
    )


def mute(browser: Chrome, service: Running, token: str = TOKEN) -> Mapping[str, Any]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "X-Request-ID": "of-the-page",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    body = json.dumps(DEMO_REQUEST)
    return fetch(browser, f"{service.url}{MUTE}", method="POST", headers=headers, body=body)


def requests(service: Running) -> list[tuple[object, object]]:
    """Return the method and status of each request, once the last of them is in the log."""
    service.wait_for("request")
    return [
        (event["method"], event["status"])
        for event in service.events
        if event["event"] == "request"
    ]


@pytest.fixture(autouse=True)
def _patient(browser: Chrome) -> None:
    browser.set_script_timeout(scaled(60))


class TestAnAllowedPage:
    def test_mutes_and_reads_the_answer(
        self, browser: Chrome, service: Running, allowed: str
    ) -> None:
        browser.get(allowed)
        answer = mute(browser, service)
        assert (answer["status"], answer["body"]) == (200, DEMO_REQUEST)
        assert answer["request_id"] == "of-the-page"
        assert mute(browser, service)["status"] == 200
        assert requests(service)[:2] == [("OPTIONS", 204), ("POST", 200)]

    def test_reads_errors(self, browser: Chrome, service: Running, allowed: str) -> None:
        browser.get(allowed)
        answers = [mute(browser, service, token) for token in ("wrong", OTHER_TOKEN)]
        outcomes = [(answer["status"], answer["body"]["code"]) for answer in answers]
        assert outcomes == [(401, "UNAUTHORIZED"), (404, "ROOM_NOT_FOUND")]

    def test_reads_when_to_retry(self, browser: Chrome, service: Running, allowed: str) -> None:
        browser.get(allowed)
        *_, answer = [mute(browser, service) for _ in range(3)]
        assert (answer["status"], answer["body"]["code"]) == (429, "RATE_LIMITED")
        assert int(answer["retry_after"]) > 0

    def test_reads_that_the_service_cannot_identify_anybody(
        self, browser: Chrome, start: Run, allowed: str, tmp_path: Path
    ) -> None:
        [closed] = free_ports(1)
        service = start(
            *("--gateway", "in-memory"),
            AUTH_SERVICE_URL=f"http://127.0.0.1:{closed}",
            AUTH_SIGNING_KEY_PATH=write_key(tmp_path / "private.pem", private=True),
            CORS_ALLOWED_ORIGINS=allowed,
        )
        browser.get(allowed)
        answer = mute(browser, service)
        assert (answer["status"], answer["body"]["code"]) == (503, "AUTH_SERVICE_UNAVAILABLE")


class TestAnyOtherPage:
    def test_can_neither_mute_nor_read(
        self, browser: Chrome, service: Running, stranger: str
    ) -> None:
        browser.get(stranger)
        assert mute(browser, service) == FAILED
        assert fetch(browser, f"{service.url}/livez") == FAILED
        assert requests(service)[0] == ("OPTIONS", 405)
        assert not [method for method, _ in requests(service) if method == "POST"]
        [reason] = [event["reason"] for event in service.events if "reason" in event]
        assert reason == f"the origin '{stranger}' is not in CORS_ALLOWED_ORIGINS"

    def test_cannot_mute_without_a_preflight_either(
        self, browser: Chrome, start: Run, allowed: str, stranger: str
    ) -> None:
        service = start(
            *("--gateway", "in-memory"), AUTH_REQUIRED="false", CORS_ALLOWED_ORIGINS=allowed
        )
        browser.get(stranger)
        body = json.dumps(DEMO_REQUEST)
        assert fetch(browser, f"{service.url}{MUTE}", method="POST", body=body) == FAILED
        assert requests(service) == [("POST", 415)]

    def test_is_every_other_page_without_the_setting(
        self, browser: Chrome, start: Run, allowed: str
    ) -> None:
        service = start("--gateway", "in-memory", AUTH_API_SECRETS_JSON=SECRETS)
        browser.get(allowed)
        assert mute(browser, service) == FAILED
        assert requests(service) == [("OPTIONS", 405)]
