"""Ten ways to start wrong, and what the command says of each."""

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from attrs import frozen
from pytest_aiohttp import AiohttpServer

from contract.livekit_double import LiveKitDouble
from tests.entrypoints.cli.conftest import Cli, Done
from tests.support.certificates import DAY, Authority
from tests.support.secret_scan import keep
from tests.support.server_process import free_ports


@frozen
class Red:
    """What is red, what is said about it, and a word of what to do."""

    check: str
    text: str
    remedy: str


async def check(variables: Mapping[str, str], **others: str) -> Done:
    return await Cli({**variables, **others})("check", "--json")


def red(done: Done) -> list[Mapping[str, str]]:
    """Return the findings that are red, and hold the exit status to them."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [line for line in lines if line.get("verdict") == "failed"]
    assert done.status == (1 if failed else 0)
    assert done.stderr == ""
    return failed


def is_only(expected: Red, done: Done) -> bool:
    [line] = red(done)
    return (
        line["check"] == expected.check
        and expected.text in line["text"]
        and expected.remedy in line["remedy"]
    )


CLOSED = free_ports(1)[0]
WRONG: Mapping[str, tuple[Mapping[str, str], Red]] = {
    "the scheme of the URL": (
        {"LIVEKIT_URL": "ftp://livekit.example.com"},
        Red("settings", "LIVEKIT_URL: must be a URL that starts with ws://", "Correct"),
    ),
    "a host that does not resolve": (
        {"LIVEKIT_URL": "ws://livekit.invalid:7880"},
        Red("livekit dns", "livekit.invalid: the ", "LIVEKIT_URL"),
    ),
    "a closed port": (
        {"LIVEKIT_URL": f"ws://127.0.0.1:{CLOSED}"},
        Red("livekit tcp", "127.0.0.1: connection refused", "Start LiveKit"),
    ),
    "the key": (
        {"LIVEKIT_API_KEY": "other"},
        Red("livekit key", "LiveKit does not know the API key", "LIVEKIT_API_KEY"),
    ),
    "the secret": (
        {"LIVEKIT_API_SECRET": keep("another-s3cret-of-at-least-32-characters")},
        Red("livekit key", "LiveKit has another secret", "LIVEKIT_API_SECRET"),
    ),
    "the folder of the audit trail": (
        {"AUDIT_LOG": "/nonexistent/audit.jsonl"},
        Red("settings", "AUDIT_LOG: the file's directory does not exist", "docs/settings.md"),
    ),
    "no key": (
        {"LIVEKIT_API_KEY": ""},
        Red("livekit", "not set: LIVEKIT_API_KEY", "Set it"),
    ),
}


class TestWrongStarts:
    async def test_are_none_where_all_is_right(self, variables: Mapping[str, str]) -> None:
        assert red(await check(variables)) == []

    @pytest.mark.parametrize("wrong", WRONG)
    async def test_by_a_setting(self, variables: Mapping[str, str], wrong: str) -> None:
        others, expected = WRONG[wrong]
        assert is_only(expected, await check(variables, **others))

    async def test_by_tls_to_a_plain_port(self, variables: Mapping[str, str]) -> None:
        url = variables["LIVEKIT_URL"].replace("http", "wss")
        expected = Red("livekit tls", "the port does not speak TLS", "ws://")
        assert is_only(expected, await check(variables, LIVEKIT_URL=url))

    async def test_by_a_key_set_that_is_not_there(self, variables: Mapping[str, str]) -> None:
        url = f"{variables['LIVEKIT_URL']}jwks"
        expected = Red("key set", "status 404", "AUTH_JWKS_URL")
        assert is_only(expected, await check(variables, AUTH_JWKS_URL=url))


async def test_the_check_creates_no_audit_trail(
    variables: Mapping[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    assert red(await check(variables, AUDIT_LOG=str(file))) == []
    assert not file.exists()


async def test_the_check_follows_links_to_the_audit_trail(
    variables: Mapping[str, str], tmp_path: Path
) -> None:
    new, nowhere, loop = (tmp_path / name for name in ("new", "nowhere", "loop"))
    new.symlink_to(tmp_path / "audit.jsonl")
    nowhere.symlink_to(tmp_path / "missing" / "audit.jsonl")
    loop.symlink_to(loop)
    assert red(await check(variables, AUDIT_LOG=str(new))) == []
    assert not new.exists()
    for path, problem in {nowhere: "directory does not exist", loop: "symbolic links"}.items():
        done = await check(variables, AUDIT_LOG=str(path))
        assert is_only(Red("settings", problem, "docs/settings.md"), done)


async def test_spans_that_cannot_be_made_are_a_warning(variables: Mapping[str, str]) -> None:
    done = await check(variables, OTEL_TRACES_EXPORTER="jaeger")
    assert red(done) == []
    warning = '"settings", "verdict": "warning", "text": "OTEL_TRACES_EXPORTER can only be otlp'
    assert warning in done.stdout


async def test_what_opentelemetry_warns_of_is_a_warning(variables: Mapping[str, str]) -> None:
    wrong = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "nonsense"}
    done = await check(variables, **wrong)
    assert red(done) == []
    assert '"settings", "verdict": "warning", "text": "tracing: ' in done.stdout
    assert "nonsense" in done.stdout


CheckWith = Callable[[ssl.SSLContext], Awaitable[Done]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def check_with(
    double: LiveKitDouble,
    aiohttp_server: AiohttpServer,
    variables: Mapping[str, str],
    authority: Authority,
) -> CheckWith:
    """Check a LiveKit that is served with TLS, with the right CA in SSL_CERT_FILE."""
    ca = str(authority.file)

    async def serve_and_check(context: ssl.SSLContext) -> Done:
        server = await aiohttp_server(double.app(), ssl=context)
        url = f"wss://127.0.0.1:{server.port}"
        return await check(variables, LIVEKIT_URL=url, SSL_CERT_FILE=ca)

    return serve_and_check


CERTIFICATES: Mapping[str, tuple[Callable[[Authority], ssl.SSLContext], str]] = {
    "expired": (
        lambda ca: ca.serve("127.0.0.1", starts=-9 * DAY),
        "the certificate has expired; it is invalid since 20",
    ),
    "self-signed": (
        lambda ca: ca.serve("127.0.0.1", own=True),
        "the certificate is self-signed; it is valid for 0 days more, issued by server",
    ),
    "of another CA": (lambda ca: Authority(ca.folder).serve("127.0.0.1"), "0 days more, issued by"),
    "of another host": (lambda ca: ca.serve("elsewhere.example.com"), "is for another address"),
}


class TestCertificates:
    @pytest.mark.parametrize("kind", CERTIFICATES)
    async def test_are_red(self, check_with: CheckWith, authority: Authority, kind: str) -> None:
        make, text = CERTIFICATES[kind]
        done = await check_with(make(authority))
        assert is_only(Red("livekit tls", text, "SSL_CERT_FILE"), done)

    async def test_warn_of_their_end(self, check_with: CheckWith, authority: Authority) -> None:
        done = await check_with(authority.serve("127.0.0.1"))
        assert red(done) == []
        text = '"livekit tls", "verdict": "warning", "text": "valid for 0 days more, issued by ca"'
        assert text in done.stdout


async def test_another_web_server_is_no_livekit(
    variables: Mapping[str, str], aiohttp_server: AiohttpServer
) -> None:
    server = await aiohttp_server(web.Application())
    done = await check(variables, LIVEKIT_URL=str(server.make_url("/")))
    expected = Red("livekit key", "answered 404 without a code", "not another server's")
    assert is_only(expected, done)
