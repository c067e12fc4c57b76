"""Each fault in each call to LiveKit, for callers with an id and without, over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import aiohttp
import pytest
from attrs import evolve, frozen
from yarl import URL

from adapters.identity.anonymous import AnonymousAuthenticator
from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_messages import TURN_PASSWORD
from domain.caller import TenantId
from entrypoints.http.server.traffic import Traffic
from tests.adapters.livekit.canned import ALICE, SID
from tests.robustness.clients import NO_TIMEOUTS, ProcessStats
from tests.robustness.faulty_livekit import (
    GET,
    LIST,
    MUTE,
    OWNER,
    FaultyLiveKit,
    Stage,
    faulty_livekit,
)
from tests.robustness.livekit_fault_kinds import NO_TRACK, OK, Kind, Outcome
from tests.robustness.livekit_faults import GROUPS, SOAK_GROUPS
from tests.robustness.metrics import Metrics
from tests.support.command import Run
from tests.support.service import Answer, Service, running_service
from tests.support.timeouts import HOUR_S

pytestmark = pytest.mark.robustness("LiveKit faults")

PAUSE_S = 0.05
"""Time for both sides to notice the end of a connection."""
TIMEOUT_S = 0.8
"""The timeout of a service whose LiveKit hangs."""
TOKEN = "token-of-a-that-nobody-may-see"
SECRET = "secret-of-livekit-that-nobody-may-see"
UNREAD = (Stage.CONNECTED, Stage.HEAD_BEGUN)
CALLS = (LIST, MUTE, GET)
MAX_READS = 2
"""How often a room is looked for beside a probe: once, and again if the connection is lost."""
FIELDS = {"room_name": ALICE.room, "participant_identity": ALICE.identity, "track_sid": SID}


@frozen
class Case:
    """A kind of fault in a call for a caller with an id or without."""

    kind: Kind
    call: str
    identified: bool

    @property
    def calls(self) -> tuple[str, ...]:
        """All calls that may be made for this caller."""
        return CALLS if self.identified else CALLS[1:]

    @property
    def before(self) -> str:
        """The call before the faulty one."""
        before = ("", *self.calls)
        return before[before.index(self.call) - 1] if self.call in before else "never"

    @property
    def outcome(self) -> Outcome:
        return self.kind.outcome_at(self.call) if self.call in self.calls else OK

    def told_apart(self, calls: list[str]) -> tuple[list[str], int]:
        """Take ListRooms beside a probe, for a caller without an id, out of the calls made."""
        kept = [call for call in calls if self.identified or call != LIST]
        return kept, len(calls) - len(kept)

    @property
    def allowed_calls(self) -> list[list[str]]:
        """The sequences of calls that are allowed."""
        if self.call not in self.calls:
            return [[MUTE]]
        before = self.calls[: self.calls.index(self.call)]
        answered = self.call == LIST and self.outcome == OK
        late = self.call == MUTE and self.kind.hangs and self.kind.is_received
        denied = self.call == MUTE and self.kind.fault.denies
        unknown = self.call == MUTE and self.outcome == NO_TRACK
        after = [MUTE] * (answered + unknown) + [GET] * late + [GET, MUTE] * denied
        attempts: Iterable[int] = self.kind.attempts(self.call)
        if self.call == GET and not self.identified and self.kind.fault.stage in UNREAD:
            attempts = range(1, MAX_READS + 2)  # ListRooms cannot be told apart
        return [[*before, *number * [self.call], *after] for number in attempts]


ALL_KINDS = {
    name: kind
    for kinds in (*GROUPS.values(), *SOAK_GROUPS.values())
    for name, kind in kinds.items()
}
CASES = [(call, identified) for call in CALLS for identified in (True, False)]


async def failures_of(case: Case) -> list[str]:
    """Return what is wrong during the fault and after it."""
    async with faulty_livekit() as livekit, service_before(livekit, case) as service:
        await livekit.break_call(case.kind.fault, at=case.call, before=case.before)
        answer = await mute(service)
        calls, reads = case.told_apart(livekit.calls)
        wrong = [] if outcome(answer) == case.outcome else [f"{outcome(answer)}: {case.outcome}"]
        wrong += (
            [] if calls in case.allowed_calls else [f"called {calls}, not {case.allowed_calls}"]
        )
        wrong += [f"read rooms {reads} times"] * (reads > MAX_READS)
        await livekit.repair()
        await asyncio.sleep(PAUSE_S)
        async with aiohttp.ClientSession() as session:
            for client in (service, evolve(service, session=session)):
                livekit.calls.clear()
                wrong += [
                    f"then {outcome(good)}" for good in [await mute(client)] if outcome(good) != OK
                ]
                calls, _ = case.told_apart(livekit.calls)
                calls = [call for call in calls if call != GET]  # on a slow machine
                wrong += [f"then called {calls}"] * (calls != [*case.calls[:-1]])
        seen = f"{answer.headers}{answer.body!r}{service.events}"
        secrets = ("s3cret", TOKEN, SECRET, TURN_PASSWORD, *livekit.tokens)
        return wrong + [f"shows {secret}" for secret in secrets if secret in seen]


async def repeated_failures_of(case: Case) -> list[str]:
    """Return what is wrong; with a short timeout or a probe only if it fails twice.

    A busy machine pauses at times, and a fault may then come after the probe.
    """
    wrong = await failures_of(case)
    is_timed = case.kind.hangs or case.call == GET
    return await failures_of(case) if wrong and is_timed else wrong


async def mute(service: Service) -> Answer:
    return await service.mute(token=TOKEN, **FIELDS)


def outcome(answer: Answer) -> Outcome:
    if answer.status != OK[0]:
        return answer.outcome
    return OK if answer.json == {**FIELDS, "muted": True} else (200, str(answer.json))


@asynccontextmanager
async def service_before(livekit: FaultyLiveKit, case: Case) -> AsyncIterator[Service]:
    """Run the service, with short timeouts only where the fault is to run into one."""
    timeout_s, probe_delay_s = HOUR_S, HOUR_S
    if case.call == GET:
        probe_delay_s = 0.1
    elif case.kind.hangs and case.call in case.calls:
        timeout_s, probe_delay_s = TIMEOUT_S, TIMEOUT_S / 4
    limits = LiveKitLimits(probe_delay_s=probe_delay_s)
    known = ApiSecretsAuthenticator(lambda: ApiSecrets({TOKEN: TenantId(OWNER)}))
    async with running_service(
        open_gateway=lambda: open_gateway(
            url=livekit.url, api_key=partial(ApiKey, name="key", secret=SECRET), limits=limits
        ),
        open_authenticator=lambda: nullcontext(
            known if case.identified else AnonymousAuthenticator()
        ),
        limits=NO_TIMEOUTS,
        timeout_s=timeout_s,
    ) as service:
        yield service


class TestFaults:
    @pytest.mark.parametrize(
        "kinds",
        [
            *(pytest.param(kinds, id=name) for name, kinds in GROUPS.items()),
            *(
                pytest.param(kinds, id=name, marks=pytest.mark.soak)
                for name, kinds in SOAK_GROUPS.items()
            ),
        ],
    )
    async def test_have_the_outcome_of_their_kind(
        self, kinds: Mapping[str, Kind], metrics: Metrics, caplog: pytest.LogCaptureFixture
    ) -> None:
        wrong: dict[tuple[str, str, bool], list[str]] = {}
        for name, kind in kinds.items():
            cases = [Case(kind, call, identified) for call, identified in CASES]
            found = await asyncio.gather(*map(repeated_failures_of, cases))
            for case, failures in zip(cases, found, strict=True):
                if failures:
                    wrong[name, case.call, case.identified] = failures
        assert wrong == {}
        assert not caplog.records
        metrics.note("cases", len(kinds) * len(CASES))


@pytest.mark.soak
class TestAProcess:
    @pytest.mark.parametrize("identified", [True, False], ids=["with an id", "without"])
    async def test_with_all_faults_in_turn_answers_in_time_and_stays_small(
        self, start: Run, metrics: Metrics, *, identified: bool
    ) -> None:
        secrets = {"AUTH_API_SECRET": TOKEN, "AUTH_API_SECRET_ID": OWNER} if identified else {}
        late_s: list[float] = []
        wrong: list[object] = []
        async with faulty_livekit() as livekit, aiohttp.ClientSession() as session:
            running = start(
                LIVEKIT_URL=livekit.url,
                LIVEKIT_API_KEY="key",
                LIVEKIT_API_SECRET=SECRET,
                LIVEKIT_TIMEOUT_SECONDS=str(TIMEOUT_S),
                LIVEKIT_PROBE_DELAY_SECONDS="0.05",
                **secrets,
            )
            service = Service(
                url=URL(running.url), session=session, events=(), traffic=Traffic(max_in_flight=1)
            )
            for name, kind in ALL_KINDS.items():
                for call in CALLS:
                    case = Case(kind, call, identified)
                    await livekit.break_call(kind.fault, at=call, before=case.before)
                    await asyncio.sleep(PAUSE_S)
                    begun_s = time.perf_counter()
                    answer = await mute(service)
                    late_s.append(time.perf_counter() - begun_s - TIMEOUT_S)
                    await livekit.repair()
                    await asyncio.sleep(PAUSE_S)
                    good = await mute(service)
                    if (outcome(answer), outcome(good)) != (case.outcome, OK):
                        wrong.append((name, call, outcome(answer), outcome(good)))
            shown = [text for text in ("s3cret", TOKEN, SECRET) if text in running.log.read_text()]
        metrics.note("cases", len(late_s))
        metrics.at_most("secrets in the log", len(shown), 0)
        metrics.at_most("s past the timeout", max(late_s), 0.1, timed=True)
        metrics.at_most("peak MB resident", ProcessStats(running.process.pid).peak_mb, 150)
        assert not wrong, "\n".join(map(str, wrong))
