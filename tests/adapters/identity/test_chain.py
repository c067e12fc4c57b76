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
    Credential,
    CredentialRefusedError,
    CredentialUnknownError,
    PresentCredential,
)
from domain.caller import Caller, IdentifiedCaller, TenantId, UnidentifiedCaller
from tests.presented import Presented, showing


@frozen
class Source(Authenticator):
    """Notes what it is shown in a book that sources share, and says one thing to all."""

    name: str
    says: Caller | Exception
    book: list[tuple[str, Credential]] = field(factory=list)

    @override
    async def authenticate(self, present: PresentCredential) -> Caller:
        self.book.append((self.name, present()))
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


A = IdentifiedCaller(id=TenantId("a"))
B = IdentifiedCaller(id=TenantId("b"))


def unknown(reason: str = "unknown") -> CredentialUnknownError:
    return CredentialUnknownError(reason=reason)


def chain(*says: Caller | Exception) -> tuple[ChainAuthenticator, list[tuple[str, Credential]]]:
    """Make a chain of sources numbered from 0, and the book of who was asked."""
    book: list[tuple[str, Credential]] = []
    sources = [Source(str(number), each, book) for number, each in enumerate(says)]
    return ChainAuthenticator(sources), book


class TestChain:
    @pytest.mark.parametrize(
        ("says", "caller", "asked"),
        [
            ([A, B], A, "0"),
            ([unknown(), A, B], A, "01"),
            ([unknown(), unknown(), A], A, "012"),
            ([UnidentifiedCaller(), A], UnidentifiedCaller(), "0"),
            ([unknown(), UnidentifiedCaller(), A], UnidentifiedCaller(), "01"),
            ([A], A, "0"),
        ],
    )
    async def test_believes_the_first_that_knows_a_credential(
        self, says: list[Caller | Exception], caller: Caller, asked: str
    ) -> None:
        authenticator, book = chain(*says)
        assert await authenticator.authenticate(showing("token")) == caller
        assert "".join(name for name, _ in book) == asked

    @pytest.mark.parametrize(
        "error",
        [
            CredentialRefusedError(reason="expired"),
            AuthenticatorUnavailableError(reason="away"),
            AuthenticatorUnusableError(reason="nonsense"),
            LookupError("a bug"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_goes_no_further_than_any_other_error(self, error: Exception) -> None:
        for says in ([error, A], [unknown(), error, A], [unknown(), unknown(), error]):
            authenticator, book = chain(*says)
            with pytest.raises(type(error)) as failure:
                await authenticator.authenticate(showing("token"))
            assert failure.value is error
            assert book[-1][0] == str(says.index(error))

    async def test_knows_nobody_where_none_of_its_sources_does(self) -> None:
        authenticator, book = chain(unknown("first"), unknown("second"), unknown("last"))
        with pytest.raises(CredentialUnknownError) as failure:
            await authenticator.authenticate(showing("token"))
        assert failure.value.reason == "last"
        assert len(book) == 3

    async def test_has_the_credential_presented_once(self) -> None:
        shown: list[Credential] = []

        def show() -> Credential:
            shown.append(Credential(token="token", request=Presented()))
            return shown[-1]

        authenticator, book = chain(unknown(), unknown(), A)
        await authenticator.authenticate(show)
        [credential] = shown
        assert all(seen is credential for _, seen in book)

    @pytest.mark.parametrize("says", [[A], [unknown(), A]])
    async def test_passes_on_that_nothing_was_shown(self, says: list[Caller | Exception]) -> None:
        def show_nothing() -> Credential:
            raise LookupError

        authenticator, book = chain(*says)
        with pytest.raises(LookupError):
            await authenticator.authenticate(show_nothing)
        assert book == []

    async def test_does_not_take_an_unknown_of_the_request_for_its_sources(self) -> None:
        def show_nothing() -> Credential:
            raise unknown("shown")

        authenticator, book = chain(A, B)
        with pytest.raises(CredentialUnknownError, match="not valid"):
            await authenticator.authenticate(show_nothing)
        assert book == []


class TestOpenChain:
    async def test_opens_sources_in_order_and_closes_them_in_the_opposite(self) -> None:
        life: list[str] = []

        @asynccontextmanager
        async def source(name: str, says: Caller | Exception) -> AsyncIterator[Authenticator]:
            life.append(f"{name} opened")
            try:
                yield Source(name, says)
            finally:
                life.append(f"{name} closed")

        async with open_chain(source(*each) for each in (("0", unknown()), ("1", A))) as opened:
            assert await opened.authenticate(showing("token")) == A
            assert life == ["0 opened", "1 opened"]
        assert life[2:] == ["1 closed", "0 closed"]

    async def test_closes_what_is_open_where_one_cannot_be_opened(self) -> None:
        life: list[str] = []

        @asynccontextmanager
        async def source(name: str) -> AsyncIterator[Authenticator]:
            if name == "bad":
                raise OSError(name)
            try:
                yield Source(name, A)
            finally:
                life.append(f"{name} closed")

        with pytest.raises(OSError, match="bad"):
            async with open_chain([source("good"), source("bad"), source("next")]):
                life.append("opened")
        assert life == ["good closed"]

    async def test_closes_its_sources_where_the_block_fails(self) -> None:
        life: list[str] = []

        @asynccontextmanager
        async def source() -> AsyncIterator[Authenticator]:
            try:
                yield Source("0", A)
            finally:
                life.append("closed")

        with pytest.raises(LookupError):
            async with open_chain([source()]):
                raise LookupError
        assert life == ["closed"]
