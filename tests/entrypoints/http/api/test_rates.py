from ipaddress import ip_network
from typing import Any

import pytest
from attrs import define, field
from http_sf import parse
from typing_extensions import override

from adapters.identity.api_secrets import ApiSecretsAuthenticator
from adapters.rates.moving_window import MovingWindow
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    Identity,
    PresentedRequest,
)
from domain.caller import AnonymousCaller
from domain.rate import Rate
from entrypoints.http.observers.audit_trail import audit_trail
from tests.entrypoints.http.conftest import DEMO_TOKEN, OTHER_TOKEN, Serve
from tests.entrypoints.http.delegated import CountingGateway
from tests.support.hand_set_clock import HandSetClock
from tests.support.service import MUTE, Answer, Service

LIMITED = (429, "RATE_LIMITED")
PROXY = (ip_network("127.0.0.1/32"),)


@pytest.fixture
def clock() -> HandSetClock:
    return HandSetClock()


@pytest.fixture
def window(clock: HandSetClock) -> MovingWindow:
    return MovingWindow(rate=Rate(quota=2, window_s=60), clock=clock)


@pytest.fixture
async def limited(
    serve: Serve, api_secrets: ApiSecretsAuthenticator, window: MovingWindow, rooms: CountingGateway
) -> Service:
    return await serve(authenticator=api_secrets, rate_limiter=window, other_gateway=rooms)


@pytest.fixture
async def guarded(
    serve: Serve, api_secrets: ApiSecretsAuthenticator, window: MovingWindow
) -> Service:
    """Two failed authentications a minute from each address."""
    return await serve(authenticator=api_secrets, failure_limiter=window, trusted_proxies=PROXY)


async def mute_from(service: Service, client: str, token: str = "wrong") -> Answer:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": client}
    return await service.ask("POST", MUTE, json={}, headers=headers)


def fields(answer: Answer) -> tuple[Any, Any]:
    """Parse both fields as structured fields, which are lists of strings with parameters."""
    texts = (answer.headers[name].encode() for name in ("RateLimit", "RateLimit-Policy"))
    limit, policy = (parse(text, tltype="list") for text in texts)
    return limit, policy


class TestTenants:
    async def test_may_send_as_many_requests_as_the_rate_says(self, limited: Service) -> None:
        statuses = [(await limited.mute(token=DEMO_TOKEN)).status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]

    async def test_have_a_rate_each(self, limited: Service) -> None:
        for _ in range(3):
            await limited.mute(token=DEMO_TOKEN)
        assert (await limited.mute(token=DEMO_TOKEN)).outcome == LIMITED
        assert (await limited.mute(token=OTHER_TOKEN)).outcome == (404, "ROOM_NOT_FOUND")

    async def test_are_told_when_to_retry(self, limited: Service, clock: HandSetClock) -> None:
        for _ in range(2):
            await limited.mute(token=DEMO_TOKEN)
        clock.now += 17.5
        answer = await limited.mute(token=DEMO_TOKEN)
        assert answer.headers["Retry-After"] == "43"
        assert fields(answer) == (
            [("tenant", {"r": 0, "t": 43})],
            [("tenant", {"q": 2, "w": 60})],
        )
        clock.now += 43
        assert (await limited.mute(token=DEMO_TOKEN)).status == 200

    async def test_are_never_told_to_retry_at_once(
        self, limited: Service, clock: HandSetClock
    ) -> None:
        for _ in range(2):
            await limited.mute(token=DEMO_TOKEN)
        clock.now += 59.999
        assert (await limited.mute(token=DEMO_TOKEN)).headers["Retry-After"] == "1"

    async def test_get_the_fields_with_429_only(self, limited: Service) -> None:
        for answer in (await limited.mute(token=DEMO_TOKEN), await limited.mute(token="wrong")):
            assert {"RateLimit", "RateLimit-Policy", "Retry-After"} & answer.headers.keys() == set()

    async def test_cost_no_call_beyond_it(self, limited: Service, rooms: CountingGateway) -> None:
        for _ in range(2):
            await limited.mute(token=DEMO_TOKEN)
        before = [*rooms.calls]
        await limited.mute(token=DEMO_TOKEN)
        assert rooms.calls == before

    async def test_count_whatever_is_wrong_with_their_requests(self, limited: Service) -> None:
        for body in (b"{", b"{}"):
            await limited.post(body, Authorization=f"Bearer {DEMO_TOKEN}")
        assert (await limited.mute(token=DEMO_TOKEN)).outcome == LIMITED

    async def test_do_not_count_requests_that_are_not_theirs(self, limited: Service) -> None:
        for _ in range(5):
            await limited.mute(token="wrong")
            await limited.ask("GET", "/livez", headers={"Authorization": f"Bearer {DEMO_TOKEN}"})
        assert (await limited.mute(token=DEMO_TOKEN)).status == 200

    async def test_are_named_in_the_log(self, limited: Service) -> None:
        for _ in range(3):
            await limited.mute(token=DEMO_TOKEN)
        event = limited.events[-1]
        assert (event["code"], event["caller_id"]) == ("RATE_LIMITED", "tenant-a")
        assert event["reason"] == (
            "too many requests of this tenant (RATE_LIMIT_PER_TENANT); retry later"
        )

    async def test_of_another_room_and_of_none_stay_alike(self, limited: Service) -> None:
        answers = [
            await limited.mute(token=OTHER_TOKEN, room_name=room)
            for room in ("demo-room", "no-such-room")
        ]
        first, second = ({**each.headers, "X-Request-ID": "", "Date": ""} for each in answers)
        assert first == second
        assert answers[0].body == answers[1].body

    async def test_without_an_id_are_not_bound(self, serve: Serve, window: MovingWindow) -> None:
        service = await serve(rate_limiter=window)
        assert [(await service.mute()).status for _ in range(5)] == [200] * 5


class TestFailedAuthentications:
    async def test_beyond_the_rate_close_the_address_to_any_token(self, guarded: Service) -> None:
        outcomes = [(await mute_from(guarded, "192.0.2.1")).status for _ in range(3)]
        valid = await mute_from(guarded, "192.0.2.1", DEMO_TOKEN)
        assert outcomes == [401, 401, 429]
        assert valid.outcome == LIMITED

    async def test_get_the_same_answer_for_any_token(self, guarded: Service) -> None:
        for _ in range(2):
            await mute_from(guarded, "192.0.2.1")
        answers = [await mute_from(guarded, "192.0.2.1", token) for token in ("wrong", DEMO_TOKEN)]
        first, second = ({**each.headers, "X-Request-ID": "", "Date": ""} for each in answers)
        assert first == second
        assert answers[0].body == answers[1].body

    async def test_are_not_asked_about_again(self, serve: Serve, window: MovingWindow) -> None:
        source = Counting()
        service = await serve(authenticator=source, failure_limiter=window)
        for _ in range(4):
            await service.mute()
        assert source.asked == 4
        window.add("127.0.0.1")
        window.add("127.0.0.1")
        assert (await service.mute()).outcome == LIMITED
        assert source.asked == 4

    async def test_leave_the_window(self, guarded: Service, clock: HandSetClock) -> None:
        for _ in range(2):
            await mute_from(guarded, "192.0.2.1")
        clock.now += 60
        assert (await mute_from(guarded, "192.0.2.1", DEMO_TOKEN)).status == 400

    async def test_tell_when_to_retry(self, guarded: Service, clock: HandSetClock) -> None:
        for _ in range(2):
            await mute_from(guarded, "192.0.2.1")
        clock.now += 10
        answer = await mute_from(guarded, "192.0.2.1")
        assert answer.headers["Retry-After"] == "50"
        assert fields(answer) == (
            [("failed-authentications", {"r": 0, "t": 50})],
            [("failed-authentications", {"q": 2, "w": 60})],
        )

    @pytest.mark.parametrize(
        ("first", "second", "alike"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
        ],
    )
    async def test_count_for_an_address_or_the_network_of_an_ipv6_address(
        self, guarded: Service, first: str, second: str, *, alike: bool
    ) -> None:
        for _ in range(2):
            await mute_from(guarded, first)
        assert (await mute_from(guarded, second)).status == (429 if alike else 401)

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer wrong"}],
        ids=["missing", "malformed", "unknown"],
    )
    async def test_are_all_that_get_401(self, guarded: Service, headers: dict[str, str]) -> None:
        for _ in range(2):
            await guarded.ask("POST", MUTE, json={}, headers=headers)
        assert (await guarded.mute(token=DEMO_TOKEN)).outcome == LIMITED

    async def test_are_not_what_succeeds_or_fails_otherwise(self, guarded: Service) -> None:
        for _ in range(3):
            await guarded.mute(token=DEMO_TOKEN)
            await guarded.mute(token=DEMO_TOKEN, room_name="other")
            await guarded.ask("GET", f"{MUTE}/x")
        assert (await guarded.mute(token="wrong")).status == 401

    async def test_are_not_outages_of_a_source(self, serve: Serve, window: MovingWindow) -> None:
        service = await serve(authenticator=Counting(away=True), failure_limiter=window)
        assert [(await service.mute()).status for _ in range(4)] == [503] * 4

    async def test_are_on_record(
        self, serve: Serve, api_secrets: ApiSecretsAuthenticator, window: MovingWindow
    ) -> None:
        trail: list[dict[str, object]] = []
        service = await serve(
            authenticator=api_secrets,
            failure_limiter=window,
            trusted_proxies=PROXY,
            observers=[audit_trail(trail.append)],
        )
        for _ in range(3):
            await mute_from(service, "192.0.2.1")
        event = trail[2]
        assert (event["code"], event["client"]) == ("RATE_LIMITED", "192.0.2.1")
        assert event["reason"] == (
            "too many failed authentications from this address (AUTH_FAILURE_RATE_LIMIT);"
            " retry later"
        )


@define
class Counting(Authenticator):
    """Counts how often it is asked; it knows everybody, or is away."""

    asked: int = field(init=False, default=0)
    away: bool = False

    @override
    async def authenticate(self, _: PresentedRequest) -> Identity:
        self.asked += 1
        if self.away:
            raise AuthenticatorUnavailableError(reason="away")
        return Identity(caller=AnonymousCaller(), source="test")

    @override
    async def verify_ready(self) -> None:
        """Do nothing."""
