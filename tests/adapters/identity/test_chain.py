from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from attrs import field, frozen
from typing_extensions import override

from adapters.identity.chain import ChainAuthenticator, open_chain
from application.ports.authenticator import (
    Authenticator,
    AuthenticatorUnavailableError,
    AuthenticatorUnusableError,
    CredentialRefusedError,
    CredentialUnknownError,
    Identity,
    PresentedRequest,
)
from domain.caller import AnonymousCaller, IdentifiedCaller, TenantId
from tests.support.presented_request import StaticRequest


@frozen
class Source(Authenticator):
    """Records its name and the request in a list that sources share, and has one result."""

    name: str
    result: Identity | Exception
    readiness: Exception | None = field(default=None, kw_only=True)
    calls: list[tuple[str, PresentedRequest]] = field(factory=list)

    @override
    async def authenticate(self, request: PresentedRequest) -> Identity:
        self.calls.append((self.name, request))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    @override
    async def verify_ready(self) -> None:
        if self.readiness is not None:
            raise self.readiness


A = Identity(caller=IdentifiedCaller(id=TenantId("a")), source="one", credential="key")
B = Identity(caller=IdentifiedCaller(id=TenantId("b")), source="other")
ANONYMOUS = Identity(caller=AnonymousCaller(), source="one")


def unknown(reason: str = "unknown") -> CredentialUnknownError:
    return CredentialUnknownError(reason=reason)


def chain(
    *results: Identity | Exception,
) -> tuple[ChainAuthenticator, list[tuple[str, PresentedRequest]]]:
    """Make a chain of sources named 0, 1, ..., and the list of their calls."""
    calls: list[tuple[str, PresentedRequest]] = []
    sources = [Source(str(number), each, calls) for number, each in enumerate(results)]
    return chain_of(*sources), calls


def chain_of(*sources: Source) -> ChainAuthenticator:
    return ChainAuthenticator({str(number): source for number, source in enumerate(sources)})


class TestChain:
    @pytest.mark.parametrize(
        ("results", "identity", "called"),
        [
            ([A, B], A, "0"),
            ([unknown(), A, B], A, "01"),
            ([unknown(), unknown(), A], A, "012"),
            ([ANONYMOUS, A], ANONYMOUS, "0"),
            ([unknown(), ANONYMOUS, A], ANONYMOUS, "01"),
            ([A], A, "0"),
        ],
    )
    async def test_uses_the_first_source_that_knows_the_token(
        self, results: list[Identity | Exception], identity: Identity, called: str
    ) -> None:
        authenticator, calls = chain(*results)
        request = StaticRequest()
        assert await authenticator.authenticate(request) == identity
        assert "".join(name for name, _ in calls) == called
        assert all(passed is request for _, passed in calls)

    @pytest.mark.parametrize(
        "error",
        [
            CredentialRefusedError(reason="expired"),
            AuthenticatorUnavailableError(reason="no answer before the deadline"),
            AuthenticatorUnusableError(reason="invalid"),
            LookupError("a bug"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_ends_at_any_other_error(self, error: Exception) -> None:
        for results in ([error, A], [unknown(), error, A], [unknown(), unknown(), error]):
            authenticator, calls = chain(*results)
            with pytest.raises(type(error)) as failure:
                await authenticator.authenticate(StaticRequest())
            assert failure.value is error
            assert calls[-1][0] == str(results.index(error))

    async def test_refuses_a_token_that_no_source_knows(self) -> None:
        authenticator, calls = chain(unknown("first"), unknown("second"), unknown("last"))
        with pytest.raises(CredentialUnknownError) as failure:
            await authenticator.authenticate(StaticRequest())
        assert failure.value.reason == "last"
        assert len(calls) == 3

    @pytest.mark.parametrize("results", [[A], [unknown(), A], [A, B]])
    @pytest.mark.parametrize("error", [LookupError(), unknown("raised by the request")])
    async def test_fails_without_a_token_before_any_source_is_tried(
        self, results: list[Identity | Exception], error: Exception
    ) -> None:
        authenticator, calls = chain(*results)
        with pytest.raises(type(error)) as failure:
            await authenticator.authenticate(StaticRequest(token=error))
        assert failure.value is error
        assert calls == []

    async def test_is_ready_once_all_sources_are(self) -> None:
        not_yet = AuthenticatorUnavailableError(reason="no keys yet")
        ready, unready = Source("ready", A), Source("unready", A, readiness=not_yet)
        await chain_of(ready, ready).verify_ready()
        for sources in ([unready], [ready, unready], [unready, ready]):
            with pytest.raises(AuthenticatorUnavailableError, match="unavailable") as failure:
                await chain_of(*sources).verify_ready()
            assert failure.value is not_yet


class TestOpenChain:
    async def test_opens_sources_in_order_and_closes_them_in_reverse(self) -> None:
        events: list[str] = []

        @asynccontextmanager
        async def source(name: str, result: Identity | Exception) -> AsyncIterator[Authenticator]:
            events.append(f"{name} opened")
            try:
                yield Source(name, result)
            finally:
                events.append(f"{name} closed")

        async with open_chain({"0": source("0", unknown()), "1": source("1", A)}) as opened:
            assert await opened.authenticate(StaticRequest()) == A
            assert events == ["0 opened", "1 opened"]
        assert events[2:] == ["1 closed", "0 closed"]

    async def test_closes_the_open_sources_when_one_fails_to_open(self) -> None:
        events: list[str] = []

        @asynccontextmanager
        async def source(name: str) -> AsyncIterator[Authenticator]:
            if name == "bad":
                raise OSError(name)
            try:
                yield Source(name, A)
            finally:
                events.append(f"{name} closed")

        with pytest.raises(OSError, match="bad"):
            async with open_chain({name: source(name) for name in ("good", "bad", "next")}):
                events.append("opened")
        assert events == ["good closed"]

    async def test_closes_its_sources_when_the_block_fails(self) -> None:
        events: list[str] = []

        @asynccontextmanager
        async def source() -> AsyncIterator[Authenticator]:
            try:
                yield Source("0", A)
            finally:
                events.append("closed")

        with pytest.raises(LookupError):
            async with open_chain({"0": source()}):
                raise LookupError
        assert events == ["closed"]
