from adapters.identity.anonymous import AnonymousAuthenticator
from application.ports.authenticator import Identity
from domain.caller import AnonymousCaller
from tests.support.presented_request import StaticRequest


class TestAnonymousAuthenticator:
    async def test_accepts_every_request_without_reading_its_token(self) -> None:
        request = StaticRequest(token=AssertionError("read"), body=AssertionError("read"))
        expected = Identity(caller=AnonymousCaller(), source="anonymous")
        assert await AnonymousAuthenticator().authenticate(request) == expected
