"""The configurations of nginx and Caddy on the real programs, with two replicas behind them."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.deploy.replicas import (
    BODY,
    CLIENT,
    SECRET,
    WITH_TOKEN,
    Site,
    answer_of,
    connections_to,
    requests,
    running_site,
)
from tests.support.service import DEMO_REQUEST, MUTE, Answer
from tests.support.timeouts import wait_until

KINDS = [
    pytest.param("nginx", marks=pytest.mark.nginx),
    pytest.param("caddy", marks=pytest.mark.caddy),
]
OF_THE_PROXY = {"connection", "date", "via"}
"""Headers of a response that are the proxy's."""
NO_REPLICA = "the proxy has no answer from any replica of the service; retry later"


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def site(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for tests that leave it as it was."""
    with running_site(kind, tmp_path_factory.mktemp(kind)) as site:
        yield site


@pytest.fixture
def own_site(kind: str, tmp_path: Path) -> Iterator[Site]:
    """A site for a test that ends replicas."""
    with running_site(kind, tmp_path) as site:
        yield site


def compared(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if b"MAX_LINE_BYTES" in answer.body:
        del headers["x-request-id"]  # of a request that could not be read, it is a random one
    kept = {name: value for name, value in headers.items() if name not in OF_THE_PROXY}
    return answer.status, kept, answer.body


def own_answer(answer: Answer) -> tuple[int, str]:
    """Return status and code of an answer that the proxy has made in the form of the service's."""
    assert answer.json.keys() == {"error", "code"}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"]
    return answer.outcome


REQUESTS: Mapping[str, tuple[str, str, bytes | None, Mapping[str, str]]] = {
    "a mute": ("POST", MUTE, BODY, WITH_TOKEN),
    "a mute with the token in the query": ("POST", f"{MUTE}?api_key={SECRET}", BODY, {}),
    "no token": ("POST", MUTE, BODY, {}),
    "no such room": (
        "POST",
        MUTE,
        json.dumps({**DEMO_REQUEST, "room_name": "other"}).encode(),
        WITH_TOKEN,
    ),
    "no JSON": ("POST", MUTE, b"{", WITH_TOKEN),
    "no JSON type": ("POST", MUTE, BODY, {**WITH_TOKEN, "Content-Type": "text/plain"}),
    "a body over 16 KiB": ("POST", MUTE, b"{" * 65536, WITH_TOKEN),
    "a header over 8190 bytes": ("GET", "/livez", None, {"X-Long": "x" * 9000}),
    "no such path": ("GET", "/no/such/path", None, {}),
    "no such method": ("DELETE", MUTE, None, {}),
    "liveness": ("GET", "/livez", None, {}),
    "readiness": ("GET", "/readyz", None, {}),
    "HEAD": ("HEAD", "/livez", None, {}),
    "the page": ("GET", "/docs", None, {"Accept-Encoding": "gzip, br"}),
    "encoded slashes": ("GET", "/a%2Fb//c/../d?x=%2F&api_key=a%20b", None, {}),
}


class TestConfiguration:
    def test_is_valid(self, site: Site) -> None:
        done = subprocess.run(site.proxy.check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr


class TestProxy:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_passes_the_answer_on_as_it_is(self, site: Site, name: str) -> None:
        method, target, body, more = REQUESTS[name]
        kind = {"Content-Type": "application/json"} if body else {}
        headers = {"X-Request-ID": "my-id-1", **kind, **more}
        direct = HTTPConnection("127.0.0.1", site.replicas[0].port)
        expected = answer_of(direct, method, target, body, headers)
        found = site.ask(method, target, body, headers)
        assert compared(found) == compared(expected)

    def test_passes_the_id_of_a_request_on(self, site: Site) -> None:
        answer = site.mute(headers={**WITH_TOKEN, "X-Request-ID": "my-id-2"})
        assert answer.headers["X-Request-ID"] == "my-id-2"
        event_of(site, "my-id-2")
        wait_until_logged(site, "my-id-2")

    @pytest.mark.parametrize("given", ["", "two words", "x" * 129])
    def test_makes_an_id_that_both_logs_have(self, site: Site, given: str) -> None:
        headers = {**WITH_TOKEN, **({"X-Request-ID": given} if given else {})}
        made = site.mute(headers=headers).headers["X-Request-ID"]
        assert made not in ("", given)
        event_of(site, made)
        wait_until_logged(site, made)

    @pytest.mark.parametrize("also", ["X-Request-ID: second", "Connection: X-Request-ID"])
    def test_keeps_to_one_id(self, site: Site, also: str) -> None:
        lines = ["GET /livez HTTP/1.1", "Host: localhost", "X-Request-ID: first", also]
        answer = site.send("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        used = re.findall(rb"(?i)x-request-id: (.*)\r\n", answer)
        wait_until_logged(site, f'"request_id":"{used[0].decode()}"')

    @pytest.mark.parametrize("host", ["other.example.com", "127.0.0.1", "localhost.", ""])
    @pytest.mark.parametrize("plain", [False, True])
    def test_answers_no_request_with_200_that_it_does_not_pass_on(
        self, site: Site, host: str, plain: bool
    ) -> None:
        version = "1" if host else "0"
        lines = [
            *(f"POST {MUTE} HTTP/1.{version}", *([f"Host: {host}"] if host else [])),
            *("Content-Type: application/json", f"Content-Length: {len(BODY)}"),
            *(f"Authorization: Bearer {SECRET}", "Connection: close", "", ""),
        ]
        answer = site.send("\r\n".join(lines).encode() + BODY, plain=plain)
        status = int(answer.split()[1])
        if plain:
            assert (status, b"use https://" in answer) == (400, True)
        elif status == HTTPStatus.OK:
            assert b'"muted":true' in answer
        else:
            assert status == HTTPStatus.MISDIRECTED_REQUEST

    def test_tells_the_address_of_the_client_whatever_it_claims(self, site: Site) -> None:
        forged = {"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "Forwarded": "for=192.0.2.1"}
        for number, headers in enumerate([{}, forged, {"Forwarded": "for=192.0.2.1"}]):
            site.mute(headers={**WITH_TOKEN, "X-Request-ID": f"from-{number}", **headers})
            assert event_of(site, f"from-{number}")["client"] == CLIENT

    def test_passes_the_trace_on(self, site: Site) -> None:
        trace = "0af7651916cd43dd8448eb211c80319c"
        traceparent = f"00-{trace}-b7ad6b7169203331-01"
        site.mute(headers={**WITH_TOKEN, "X-Request-ID": "traced", "traceparent": traceparent})
        assert event_of(site, "traced")["trace_id"] == trace

    def test_keeps_its_connections_to_the_replicas(self, site: Site) -> None:
        def now() -> set[int]:
            ports = [replica.port for replica in site.replicas]
            return {each.client_port for port in ports for each in connections_to(port)}

        before, seen = now(), set[int]()
        for _ in range(40):
            assert site.mute().status == HTTPStatus.OK
            seen |= now()
        assert len(seen - before) < 10, "for 40 requests"

    @pytest.mark.parametrize("target", ["/metrics", "//metrics", "/%6detrics", "/x/../metrics"])
    def test_keeps_the_metrics_in(self, site: Site, target: str) -> None:
        direct = HTTPConnection("127.0.0.1", site.replicas[0].port)
        assert answer_of(direct, "GET", "/metrics").status == HTTPStatus.OK
        assert own_answer(site.ask("GET", target)) == (404, "NOT_FOUND")

    def test_rejects_a_body_that_is_far_too_large(self, site: Site) -> None:
        answer = site.ask("POST", MUTE, b"x" * 70_000, WITH_TOKEN)
        assert own_answer(answer) == (413, "PAYLOAD_TOO_LARGE")
        assert "proxy" in answer.json["error"]

    def test_rejects_headers_that_are_far_too_long(self, site: Site, kind: str) -> None:
        answer = site.ask("GET", "/livez", None, {"X-Long": "x" * 80_000})
        if kind == "nginx":
            assert own_answer(answer) == (400, "INVALID_REQUEST")
            assert "proxy" in answer.json["error"]
        else:
            assert answer.status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "other.example.com"])
    def test_redirects_browsers_to_https_and_nobody_else(self, site: Site, name: str) -> None:
        def plain() -> HTTPConnection:
            return HTTPConnection("127.0.0.1", site.proxy.plain_port)

        host = {"Host": f"{name}:{site.proxy.plain_port}"}
        answer = answer_of(plain(), "GET", "/docs?a=b", None, host)
        assert answer.status == HTTPStatus.PERMANENT_REDIRECT
        assert answer.headers["Location"] == f"{site.proxy.url}/docs?a=b"
        answer = answer_of(plain(), "POST", f"{MUTE}?api_key={SECRET}", BODY, host)
        assert answer.outcome == (400, "INVALID_REQUEST")

    def test_tells_no_version(self, site: Site) -> None:
        for answer in (site.ask("GET", "/metrics"), site.ask("GET", "/livez")):
            assert answer.headers["Server"] in ("nginx", "Caddy", "livekit-mute")


def event_of(site: Site, request_id: str) -> Mapping[str, object]:
    """Wait for what a replica logs of a request, behind its response."""
    found: list[Mapping[str, object]] = []

    def is_logged() -> bool:
        found[:] = [each for each in site.requests() if each["request_id"] == request_id]
        return found != []

    wait_until(is_logged)
    return found[0]


def wait_until_logged(site: Site, text: str) -> None:
    """Wait until the proxy has logged a text; it may do so after the answer."""
    wait_until(lambda: any(text in log for log in site.proxy.logs.values()))


def has_received_a_mute(port: int) -> bool:
    """Whether a stopped replica has a request to read that is longer than a readiness probe."""
    return any(each.unread_bytes > len(BODY) + 150 for each in connections_to(port))


DEBUG = {"auto_https disable_redirects": "debug\n\tauto_https disable_redirects"}


class TestLogs:
    def test_have_no_query_and_no_token(self, own_site: Site) -> None:
        """Also where no replica answers, and nginx's own log would quote the request line."""
        check_logs(own_site)

    def test_have_no_fragment_and_are_utf_8(self, own_site: Site) -> None:
        for path in ("/livez#api_key=not-logged", "/a-path-with-\xff"):
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            own_site.send(request.encode("latin1"))
        wait_until_logged(own_site, '"/livez"')
        wait_until_logged(own_site, "/a-path-with-")
        assert "/livez#" not in "".join(own_site.proxy.logs.values())

    @pytest.mark.caddy
    def test_of_caddy_have_none_with_debug_either(self, tmp_path: Path) -> None:
        with running_site("caddy", tmp_path, DEBUG) as site:
            check_logs(site)
            assert "upstream roundtrip" in "".join(site.proxy.logs.values())


def check_logs(site: Site) -> None:
    """Send tokens in ways that are logged, to replicas that answer and to none."""
    query = f"?api_key={SECRET}"
    assert site.mute(query=query, headers={}).status == HTTPStatus.OK
    referred = {**WITH_TOKEN, "Referer": f"https://other.example.com/{query}"}
    assert site.mute(query=query, headers=referred).status == HTTPStatus.OK
    site.ask("POST", f"{MUTE}{query}", b"x" * 70_000)
    site.ask("GET", f"/livez{query}", None, {"X-Long": "x" * 80_000})
    site.ask("GET", f"/metrics{query}")
    for replica in site.replicas:
        replica.end(signal.SIGKILL)
    answer = site.mute(query=query, headers={"X-Request-ID": "the-last"})
    assert own_answer(answer) == (503, "OVERLOADED")
    assert answer.json["error"] == NO_REPLICA
    assert answer.headers["Retry-After"] == "1"
    wait_until_logged(site, "the-last")
    logs = "".join(site.proxy.logs.values())
    assert MUTE in logs
    assert CLIENT in logs
    assert "api_key" not in logs
    assert SECRET not in logs
    assert "Bearer" not in logs


class TestReplicas:
    def test_that_is_killed_is_missed_by_nobody(self, own_site: Site) -> None:
        own_site.replicas[0].end(signal.SIGKILL)
        assert {own_site.mute().status for _ in range(20)} == {HTTPStatus.OK}

    def test_that_is_killed_loses_not_even_what_it_had_received(self, own_site: Site) -> None:
        first, second = own_site.replicas
        first.running.process.send_signal(signal.SIGSTOP)
        with own_site.load(clients=2) as load:
            wait_until(lambda: has_received_a_mute(first.port))
            first.end(signal.SIGKILL)
            before = len(requests(second))
            wait_until(lambda: len(requests(second)) > before + 10)
        assert load.outcomes.keys() == {"200"}

    def test_that_restart_one_after_another_lose_no_request(self, own_site: Site) -> None:
        """Each as soon as the other listens again, which Caddy need not have noticed by then."""
        with own_site.load() as load:
            for replica in [*own_site.replicas, *own_site.replicas]:
                replica.end(signal.SIGTERM)
                assert replica.running.process.returncode == 0
                replica.start()
        assert load.outcomes.keys() == {"200"}

    @pytest.mark.caddy
    def test_that_hangs_is_left_out_by_caddy(self, tmp_path: Path) -> None:
        with running_site("caddy", tmp_path) as site:
            site.replicas[0].running.process.send_signal(signal.SIGSTOP)
            wait_until_logged(site, "health_checker.active")
            wait_until(lambda: {site.mute().status for _ in range(4)} == {HTTPStatus.OK})
