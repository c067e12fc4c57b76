"""The REST suite as its users run it: on this service, on hopeless servers, with wrong options."""

import re
import socket
import xml.etree.ElementTree as ET  # of pytest's own making
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.rest.clause import all_clauses
from tests.contract.broken_servers.messages import Reply, Sent
from tests.contract.broken_servers.proxy import Proxy, running_proxy
from tests.contract.rest_servers import Servers, run_pytest, running_servers

NUMBERS = [clause.number for clause in all_clauses()]
ALL = len(NUMBERS)
TOKENS = ("--token=tenant-a=one", "--token=tenant-b=two")
GONE = "not run: the server is gone: nobody listens at 127.0.0.1:"
URLS = ("--base-url=http://127.0.0.1:1", "--livekit-url=http://127.0.0.1:1")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running_servers(tmp_path_factory.mktemp("rest")) as servers:
        yield servers


def results(markdown: str) -> dict[str, str]:
    """Read the table: the result of each clause."""
    return dict(re.findall(r"^\| (R\d+\.\d+) \| .+ \| (.+) \|$", markdown, re.MULTILINE))


class TestThisService:
    def test_keeps_every_clause(self, servers: Servers, tmp_path: Path) -> None:
        table, junit = tmp_path / "table.md", tmp_path / "junit.xml"
        run = servers.run_suite(f"--markdown={table}", f"--junit-xml={junit}")
        assert run.returncode == 0, run.stdout
        assert f"clauses: {ALL} kept, 0 broken, 0 left out, 0 not run" in run.stdout
        assert results(table.read_text()) == dict.fromkeys(NUMBERS, "kept")
        assert list(results(table.read_text())) == NUMBERS
        cases = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - see above
        assert {case.get("name") for case in cases} == set(NUMBERS)

    def test_lists_what_is_left_out_and_does_not_run_it(
        self, servers: Servers, tmp_path: Path
    ) -> None:
        table = tmp_path / "table.md"
        left_out = ("--leave-out=R9.1=no | probes", "--leave-out=R9.2=the same")
        run = servers.run_suite(f"--markdown={table}", *left_out, "-k", "R9.1 or R9.2")
        assert "LEFT OUT R9.1: no | probes" in run.stdout
        found = results(table.read_text())
        assert found["R9.1"] == r"left out: no \| probes"
        assert found["R9.2"] == "left out: the same"
        assert found["R9.10"] == "kept"
        assert found["R1.1"] == "not run"


@contextmanager
def in_front(servers: Servers) -> Iterator[tuple[str, Proxy]]:
    with running_proxy(servers.port) as proxy:
        yield f"http://127.0.0.1:{proxy.port}", proxy


def told(stdout: str) -> list[str]:
    return re.findall(r"^  received: (.+)$", stdout, re.MULTILINE)


class TestHopelessServers:
    """The run goes on to its end, and tells in one line for each clause what was received."""

    @pytest.mark.parametrize(
        ("answer", "received"),
        [
            (b"", "the server closed the connection before an answer"),
            (b"nonsense\r\n\r\n", "what is not an HTTP answer"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "a part of an answer"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "status 200 []"),
        ],
    )
    def test_are_told(self, servers: Servers, answer: bytes, received: str) -> None:
        with in_front(servers) as (url, proxy):
            proxy.reply = lambda _, __: answer
            run = servers.run_suite("-k", "R1.6 or R2.1 or R4.3 or R9.2", url=url)
        assert run.returncode == 1
        assert "Traceback" not in run.stdout
        assert all(line.startswith(received) for line in told(run.stdout))
        assert len(told(run.stdout)) > 4

    def test_break_no_clause_of_which_nothing_can_be_seen(
        self, servers: Servers, tmp_path: Path
    ) -> None:
        table = tmp_path / "table.md"
        with in_front(servers) as (url, proxy):
            proxy.reply = lambda _, __: b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}"
            run = servers.run_suite(f"--markdown={table}", "-k", "R1.3 or R1.6 or R9.9", url=url)
        found = results(table.read_text())
        assert run.returncode == 1
        for number in ("R1.3", "R1.6", "R9.9"):
            assert found[number].startswith("not run: the clause needs status 200; received status")

    def test_that_end_in_the_middle_are_told_to_be_gone(
        self, servers: Servers, tmp_path: Path
    ) -> None:
        table, junit = tmp_path / "table.md", tmp_path / "junit.xml"
        with in_front(servers) as (url, proxy):
            answered: list[Sent] = []

            def end(sent: Sent, reply: Reply) -> Reply:
                answered.append(sent)
                if len(answered) == 100:
                    proxy.end()
                return reply

            proxy.reply = end
            run = servers.run_suite(f"--markdown={table}", f"--junit-xml={junit}", url=url)
        found = results(table.read_text())
        gone = [number for number, result in found.items() if result.startswith(GONE)]
        broken = [result for result in found.values() if result.startswith("broken")]
        cases = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - see above
        assert run.returncode == 1
        assert len(found) == ALL
        assert "kept" in found.values()
        assert len(gone) > 50
        assert len(broken) <= 1
        assert run.stdout.count("  not run:  the server is gone: nobody listens") == len(gone)
        assert len([case for case in cases if case.find("failure") is not None]) >= len(gone)

    def test_that_hang_do_not_hold_up_the_run_for_long(
        self, servers: Servers, tmp_path: Path
    ) -> None:
        table = tmp_path / "table.md"
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            options = (f"--markdown={table}", "--answer-timeout=0.05")
            run = servers.run_suite(*options, url=url)
        found = results(table.read_text())
        broken = [result for result in found.values() if result.startswith("broken: expected ")]
        unknown = [result for result in found.values() if "6 requests in a row" in result]
        assert run.returncode == 1
        assert len(broken) == 6
        assert set(told(run.stdout)) == {"no answer within 0.05 s"}
        assert len(unknown) == ALL - 6
        assert all(result.startswith("not run: no") for result in unknown)


class TestUsage:
    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ((URLS[1], *TOKENS), "--base-url URL is missing"),
            ((URLS[0], *TOKENS), "--livekit-url URL is missing"),
            ((*URLS, TOKENS[0]), "tokens of two tenants are needed"),
            ((*URLS, TOKENS[0], TOKENS[0]), "tokens of two tenants are needed"),
            ((*URLS, *TOKENS, "--token=a"), "--token is TENANT=TOKEN"),
            (("--base-url=localhost:3001", URLS[1], *TOKENS), "is no URL such as"),
            ((*URLS, *TOKENS, "--leave-out=R1.99=no"), "there is no clause 'R1.99'"),
            ((*URLS, *TOKENS, "--leave-out=R1.1"), "say why: --leave-out R1.1=REASON"),
            ((*URLS, *TOKENS, "--markdown=/missing/a.md"), "there is no folder /missing"),
            ((*URLS, *TOKENS, "-n2"), "run them without -n"),
            ((*URLS, *TOKENS), "the LiveKit double at http://127.0.0.1:1"),
        ],
    )
    def test_errors_are_told_in_one_line(self, options: tuple[str, ...], problem: str) -> None:
        run = run_pytest(*options)
        assert run.returncode == pytest.ExitCode.USAGE_ERROR
        assert problem in run.stdout + run.stderr
        assert "Traceback" not in run.stdout + run.stderr

    def test_needs_a_server_to_begin_with(self, servers: Servers) -> None:
        run = servers.run_suite(url="http://127.0.0.1:1")
        assert run.returncode == pytest.ExitCode.USAGE_ERROR
        assert (
            "nobody listens at 127.0.0.1:1 (no connection: Connection refused)"
            in run.stdout + run.stderr
        )

    def test_needs_the_key_of_the_double_to_begin_with(self, servers: Servers) -> None:
        run = servers.run_suite("--livekit-api-secret=another")
        assert run.returncode == pytest.ExitCode.USAGE_ERROR
        assert "--livekit-api-key, --livekit-api-secret: " in run.stdout + run.stderr
