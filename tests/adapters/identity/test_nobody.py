from adapters.identity.nobody import NobodyAuthenticator
from application.ports.authenticator import Credential
from domain.caller import UnidentifiedCaller


class TestNobodyAuthenticator:
    async def test_lets_everybody_in_without_looking(self) -> None:
        def look() -> Credential:
            raise AssertionError("looked")

        assert await NobodyAuthenticator().authenticate(look) == UnidentifiedCaller()
