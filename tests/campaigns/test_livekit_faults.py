"""Each fault, in each call, for callers with an id and without: all through the service."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import aiohttp
import pytest
from attrs import evolve, frozen
from yarl import URL

from adapters.identity.api_secrets import ApiSecrets, ApiSecretsAuthenticator
from adapters.identity.nobody import NobodyAuthenticator
from adapters.livekit.api_key import ApiKey
from adapters.livekit.bounds import Bounds
from adapters.livekit.room_gateway import open_gateway
from contract.livekit_rooms import TURN_PASSWORD
from domain.caller import TenantId
from entrypoints.http.traffic import Traffic
from tests.adapters.livekit.canned import ALICE, SID
from tests.campaigns.clients import Vitals
from tests.campaigns.faulty_livekit import (
    GET,
    LIST,
    MUTE,
    OWNER,
    FaultyLiveKit,
    faulty_livekit,
)
from tests.campaigns.figures import Figures
from tests.campaigns.livekit_faults import KINDS, LONGER
from tests.campaigns.livekit_kinds import OK, Kind, Told
from tests.command import Run
from tests.service import Answer, Service, running_service

pytestmark = pytest.mark.campaign("LiveKit faults")

PAUSE_S = 0.05
"""Time for either side to see what the other has done to a connection."""
TIMEOUT_S = 0.8
"""How long a service that will be let hang waits."""
TOKEN = "token-of-a-that-nobody-may-see"
SECRET = "secret-of-livekit-that-nobody-may-see"
CALLS = (LIST, MUTE, GET)
WISH = {"room_name": ALICE.room, "participant_identity": ALICE.identity, "track_sid": SID}


@frozen
class Case:
    """A kind of fault in a call that is made for a caller with an id, or without."""

    kind: Kind
    call: str
    identified: bool

    @property
    def calls(self) -> tuple[str, ...]:
        """What is asked of LiveKit for this caller at most."""
        return CALLS if self.identified else CALLS[1:]

    @property
    def before(self) -> str:
        """The call before the one at fault."""
        before = ("", *self.calls)
        return before[before.index(self.call) - 1] if self.call in before else "never"

    @property
    def told(self) -> Told:
        return self.kind.told_at(self.call) if self.call in self.calls else OK

    @property
    def asked(self) -> list[list[str]]:
        """What may be asked of LiveKit: this and nothing else."""
        if self.call not in self.calls:
            return [[MUTE]]
        before = self.calls[: self.calls.index(self.call)]
        answered = self.call == LIST and self.told == OK
        late = self.call == MUTE and self.kind.hangs and self.kind.comes_through
        behind = [MUTE] * answered + [GET] * late
        return [[*before, *tries * [self.call], *behind] for tries in self.kind.tries(self.call)]


CASES = [(call, identified) for call in CALLS for identified in (True, False)]


async def examine(case: Case) -> list[str]:
    """Tell what is not as it should be, with the fault and once it is over."""
    async with faulty_livekit() as livekit, service_before(livekit, case) as service:
        await livekit.break_down(case.kind.fault, at=case.call, before=case.before)
        answer = await mute(service)
        asked = list(livekit.calls)
        wrong = [] if told(answer) == case.told else [f"told {told(answer)}, not {case.told}"]
        wrong += [] if asked in case.asked else [f"asked {asked}, not {case.asked}"]
        await livekit.heal()
        await asyncio.sleep(PAUSE_S)
        async with aiohttp.ClientSession() as session:
            for client in (service, evolve(service, session=session)):
                livekit.calls.clear()
                wrong += [f"then {told(good)}" for good in [await mute(client)] if told(good) != OK]
                asked = [call for call in livekit.calls if call != GET]  # where we are slow
                wrong += [f"then asked {asked}"] * (asked != [*case.calls[:-1]])
        seen = f"{answer.headers}{answer.body!r}{service.events}"
        secrets = ("s3cret", TOKEN, SECRET, TURN_PASSWORD, *livekit.tokens)
        return wrong + [f"shows {secret}" for secret in secrets if secret in seen]


async def examine_twice(case: Case) -> list[str]:
    """Tell what is wrong; where time runs out, only if it is so again: machines halt at times."""
    wrong = await examine(case)
    return await examine(case) if wrong and case.kind.hangs else wrong


async def mute(service: Service) -> Answer:
    return await service.mute(token=TOKEN, **WISH)


def told(answer: Answer) -> Told:
    if answer.status != OK[0]:
        return answer.told
    return OK if answer.json == {**WISH, "muted": True} else (200, str(answer.json))


@asynccontextmanager
async def service_before(livekit: FaultyLiveKit, case: Case) -> AsyncIterator[Service]:
    """Serve with little patience where it will be tried, and else with much."""
    timeout_s, probe_delay_s = 5.0, 5.0
    if case.call == GET:
        probe_delay_s = 0.1
    elif case.kind.hangs and case.call in case.calls:
        timeout_s, probe_delay_s = TIMEOUT_S, TIMEOUT_S / 4
    bounds = Bounds(timeout_s=timeout_s, probe_delay_s=probe_delay_s)
    known = ApiSecretsAuthenticator(lambda: ApiSecrets({TOKEN: TenantId(OWNER)}))
    async with running_service(
        open_gateway=lambda: open_gateway(
            url=livekit.url, api_key=partial(ApiKey, name="key", secret=SECRET), bounds=bounds
        ),
        open_authenticator=lambda: nullcontext(known if case.identified else NobodyAuthenticator()),
    ) as service:
        yield service


class TestFaults:
    @pytest.mark.parametrize(
        "kind",
        [
            *(pytest.param(kind, id=name) for name, kind in KINDS.items()),
            *(pytest.param(kind, id=name, marks=pytest.mark.soak) for name, kind in LONGER.items()),
        ],
    )
    async def test_are_told_as_what_they_are(
        self, kind: Kind, figures: Figures, caplog: pytest.LogCaptureFixture
    ) -> None:
        cases = [Case(kind, call, identified) for call, identified in CASES]
        wrong = await asyncio.gather(*map(examine_twice, cases))
        assert not {
            (case.call, case.identified): found
            for case, found in zip(cases, wrong, strict=True)
            if found
        }
        assert not caplog.records
        figures.note("cases", len(cases))


@pytest.mark.soak
class TestAProcess:
    @pytest.mark.parametrize("identified", [True, False], ids=["with an id", "without"])
    async def test_that_meets_all_faults_in_turn_answers_in_time_and_stays_small(
        self, start: Run, figures: Figures, *, identified: bool
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
            for name, kind in {**KINDS, **LONGER}.items():
                for call in CALLS:
                    case = Case(kind, call, identified)
                    await livekit.break_down(kind.fault, at=call, before=case.before)
                    await asyncio.sleep(PAUSE_S)
                    begun_s = time.perf_counter()
                    answer = await mute(service)
                    late_s.append(time.perf_counter() - begun_s - TIMEOUT_S)
                    await livekit.heal()
                    await asyncio.sleep(PAUSE_S)
                    good = await mute(service)
                    if (told(answer), told(good)) != (case.told, OK):
                        wrong.append((name, call, told(answer), told(good)))
            shown = [text for text in ("s3cret", TOKEN, SECRET) if text in running.log.read_text()]
        figures.note("cases", len(late_s))
        figures.at_most("secrets in the log", len(shown), 0)
        figures.at_most("s past the deadline", max(late_s), 0.1, timed=True)
        figures.at_most("MB at the most", Vitals(running.process.pid).peak_mb, 150)
        assert not wrong, "\n".join(map(str, wrong))
