"""Deliberately broken servers: each is found out by exactly the clauses that it breaks."""

from collections.abc import Iterator, Mapping

import pytest

from contract.rest.broken import BrokenPromiseError, NotSeenError
from contract.rest.clause import Clause, all_clauses
from contract.rest.endpoint import Endpoint
from tests.contract.broken_servers.broken import Broken
from tests.contract.broken_servers.of_answers import HEADERS, PATHS
from tests.contract.broken_servers.of_bodies import BODIES, DECLARED
from tests.contract.broken_servers.of_callers import CALLERS
from tests.contract.broken_servers.of_http import HTTP, ORDER
from tests.contract.broken_servers.of_mutes import MUTES
from tests.contract.broken_servers.of_outcomes import CODES, OUTCOMES
from tests.contract.broken_servers.of_tenants import TENANTS
from tests.contract.broken_servers.proxy import Proxy, running_proxy
from tests.contract.rest_servers import ANSWER_TIMEOUT_S, SLOW, Servers, running_servers
from tests.support.timeouts import scaled

IMPATIENT_S = scaled(0.5)
"""For a server whose connections never end."""

TABLES: Mapping[str, Mapping[str, Broken]] = {
    "mutes": MUTES,
    "bodies": BODIES,
    "declared": DECLARED,
    "callers": CALLERS,
    "tenants": TENANTS,
    "outcomes": OUTCOMES,
    "codes": CODES,
    "headers": HEADERS,
    "paths": PATHS,
    "http": HTTP,
    "order": ORDER,
}
EVERY = {f"{table}: {name}": each for table, all_ in TABLES.items() for name, each in all_.items()}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running_servers(tmp_path_factory.mktemp("rest")) as servers:
        yield servers


@pytest.fixture(scope="module")
def proxy(servers: Servers) -> Iterator[Proxy]:
    with running_proxy(servers.port) as proxy:
        yield proxy


def clauses_to_run(server: Broken, *, all_groups: bool) -> Iterator[Clause]:
    """Yield the clauses that the server breaks, and others that it is not to break."""
    groups = {number.partition(".")[0] for number in server.numbers}
    for clause in all_clauses():
        is_fast = clause.number not in SLOW
        in_group = all_groups or clause.number.partition(".")[0] in groups
        if clause.number in server.numbers or (is_fast and in_group):
            yield clause


def breaks(clause: Clause, endpoint: Endpoint) -> bool:
    try:
        clause.run(endpoint)
    except BrokenPromiseError:
        return True
    except NotSeenError:
        return False
    return False


class TestBrokenServers:
    """Each runs against all clauses of the groups in which it breaks one; with --soak, of all."""

    @pytest.mark.parametrize("server", EVERY.values(), ids=EVERY)
    def test_are_found_out_by_exactly_the_clauses_that_they_break(
        self, servers: Servers, proxy: Proxy, server: Broken, pytestconfig: pytest.Config
    ) -> None:
        timeout_s = IMPATIENT_S if server.holds else ANSWER_TIMEOUT_S
        endpoint = servers.endpoint(proxy.port, answer_timeout_s=timeout_s)
        proxy.errors.clear()
        found = set()
        for clause in clauses_to_run(server, all_groups=bool(pytestconfig.getoption("--soak"))):
            server.install(proxy, endpoint)
            if breaks(clause, endpoint):
                found.add(clause.number)
        assert proxy.errors == []
        assert found == server.numbers

    def test_break_every_clause(self) -> None:
        broken = {number for server in EVERY.values() for number in server.numbers}
        assert broken == {clause.number for clause in all_clauses()}
