"""docs/log.md lists every event, field, code and reason, because operators alert on them."""

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import pytest

from adapters.http_client import causes
from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.in_memory.demo import demo_room_gateway
from adapters.livekit.causes import REFUSALS
from domain.caller import TenantId
from domain.room import RoomNotFoundReason
from entrypoints.http.api.error_responses import ERROR_RESPONSES
from entrypoints.settings.changes import changes
from entrypoints.settings.settings import load_settings
from tests.entrypoints.http.observers.failing import FaultyGateway
from tests.support.imports import PROJECT, modules
from tests.support.reasons import fragments, raised, written
from tests.support.service import running_service

REFERENCE = (PROJECT / "docs" / "log.md").read_text()
LEVELS = {"debug", "info", "warning", "error"}
OF_EVERY_EVENT = {"timestamp", "level", "event"}
OF_TRACES = {"trace_id"}
NO_REASONS = {
    "this machine has no IPv6",  # at the start
    "callers cannot be authenticated yet",  # for the caller of /readyz: the log has the cause
    "LiveKit cannot be used now",
    "the reason is in this service's log",
}
REASONS = REFERENCE.partition("\n## Reasons\n")[2]


def rows(title: str) -> Sequence[str]:
    """Return the rows of the table below a heading, without the table's head."""
    _, _, rest = REFERENCE.partition(f"\n## {title}\n")
    return re.findall(r"^\| (`.*) \|$", re.split(r"\n##+ ", rest)[0], re.MULTILINE)


def section(title: str) -> set[str]:
    """Return what stands in the first column of the table below a heading."""
    return {name for row in rows(title) for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def trees() -> Iterator[ast.Module]:
    for root in ("adapters", "entrypoints"):
        for _, path in modules(PROJECT / root):
            yield ast.parse(path.read_text())


def calls_of_the_log(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="log" | "_log") | ast.Attribute(attr="log" | "_log"),
                    attr=level,
                ),
                args=[_, *_],
            ) if level in LEVELS:
                yield node


def events_logged(tree: ast.Module) -> Iterator[str]:
    """Yield the text of every event: a literal, or a constant of the module."""
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in calls_of_the_log(tree):
        match call.args[0]:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Name(id=name) if name in constants:
                yield str(constants[name])
            case event:
                yield f"not a constant: {ast.unparse(event)}"


def fields_logged(tree: ast.Module) -> Iterator[str]:
    """Yield the name of every field that is given to the log by name."""
    for call in calls_of_the_log(tree):
        yield from (keyword.arg for keyword in call.keywords if keyword.arg not in (None, "extra"))


async def fields_of_requests() -> set[str]:
    """Return the fields of a request that succeeds, of one with long names, and of a bug."""
    secrets = ApiSecrets({"s3cret": TenantId("tenant-a")}, names={"s3cret": "of-may"})
    gateway = FaultyGateway(demo_room_gateway().rooms, ZeroDivisionError("s3cret"))
    async with running_service(
        open_gateway=lambda: nullcontext(gateway),
        open_authenticator=lambda: nullcontext(ApiSecretsAuthenticator(lambda: secrets)),
    ) as service:
        await service.mute(token="s3cret")
        await service.mute(token="s3cret", room_name="r" * 300)
    return {
        re.sub(".+_sha256", "<name>_sha256", name) for event in service.events for name in event
    }


class TestEvents:
    def test_are_those_that_are_logged(self) -> None:
        assert section("Events") == {event for tree in trees() for event in events_logged(tree)}


class TestFields:
    async def test_are_those_that_are_logged(self) -> None:
        logged = {name for tree in trees() for name in fields_logged(tree)}
        logged |= await fields_of_requests() - {"log_level"}
        logged |= set(changes(load_settings({}), load_settings({})))
        assert section("Fields") == OF_EVERY_EVENT | OF_TRACES | logged


class TestCodes:
    def test_are_those_of_responses(self) -> None:
        documented = {tuple(row.split(" | ")[:2]) for row in rows("Codes")}
        assert documented == {
            (f"`{row.code}`", str(row.status)) for row in ERROR_RESPONSES.values()
        }


class TestReasons:
    def test_contain_those_that_errors_are_made_with(self) -> None:
        tables = (causes.OS_ERRORS, causes.RESOLVER_ERRORS, causes.CERTIFICATE_FAULTS, REFUSALS)
        found = raised() | {text for table in tables for text in table.values()}
        found |= {each.value for each in RoomNotFoundReason}
        found -= NO_REASONS
        assert len(found) > 100
        assert sorted(text for text in found if text not in REASONS) == []

    def test_are_made_somewhere(self) -> None:
        source = written()
        documented = {
            part
            for row in re.findall(r"^\| (`.*) \|$", REASONS, re.MULTILINE)
            for reason in re.findall(r"`([^`]+)`", row.split(" | ")[0])
            for part in fragments(reason)
        }
        assert len(documented) > 100
        assert sorted(part for part in documented if part not in source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('log.info("a")', ["a"]),
        ('A = "a"\nlog.error(A, x=1)', ["a"]),
        ('log.info(f"a {b}")', ["not a constant: f'a {b}'"]),
        ('self._log.error("a")', ["a"]),
        ('other.info("a")', []),
    ],
)
def test_events_are_found(source: str, expected: list[str]) -> None:
    assert list(events_logged(ast.parse(source))) == expected
