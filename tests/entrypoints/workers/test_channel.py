import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.settings.settings import load_settings
from entrypoints.workers.channel import Changed, Channel, Prepare, Prepared, Ready
from tests.entrypoints.conftest import write_key

Pair = tuple[Channel, Channel]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ends = Channel.pair()
    yield ends
    for each in ends:
        each.close()


class TestChannel:
    def test_keeps_the_order_of_messages(self, pair: Pair) -> None:
        one, other = pair
        for message in (Ready(), Prepared(1), Changed()):
            assert one.send(message)
        assert [other.receive() for _ in range(4)] == [Ready(), Prepared(1), Changed(), None]

    def test_says_that_the_other_end_is_gone(self, pair: Pair) -> None:
        one, other = pair
        one.send(Ready())
        one.close()
        assert other.receive() == Ready()
        with pytest.raises(EOFError):
            other.receive()
        assert not other.send(Ready())

    def test_says_that_its_own_end_is_closed(self, pair: Pair) -> None:
        one, _ = pair
        one.close()
        with pytest.raises(EOFError):
            one.receive()
        assert not one.send(Ready())

    def test_never_waits_for_a_reader(self, pair: Pair) -> None:
        one, _ = pair
        for _ in range(100_000):
            if not one.send(Ready()):
                return
        raise AssertionError("the system keeps more than 100,000 messages")

    def test_carries_all_settings_also_keys_and_many_secrets(
        self, pair: Pair, tmp_path: Path, signing_key: str
    ) -> None:
        secrets = tmp_path / "secrets"
        secrets.write_text(
            json.dumps([{"id": f"t-{n}", "secret": f"s3cret-{n}"} for n in range(10_000)])
        )
        settings = load_settings(
            {
                "AUTH_API_SECRETS_FILE": str(secrets),
                "AUTH_JWT_PUBLIC_KEY_PATH": write_key(tmp_path / "public", private=False),
                "AUTH_JWT_AUDIENCE": "mute",
                "AUTH_SIGNING_KEY_PATH": signing_key,
                "AUTH_SERVICE_URL": "https://auth.example.com",
                "LIVEKIT_API_KEY": "key",
            }
        )
        one, other = pair
        assert one.send(Prepare(1, settings))
        received = other.receive()
        assert isinstance(received, Prepare)
        auth, sent = received.settings.auth, settings.auth
        assert auth.api_secrets == sent.api_secrets
        identity = auth.api_secrets.holder("s3cret-9999")
        assert identity is not None
        assert auth.tokens is not None
        assert sent.tokens is not None
        assert auth.tokens.public_keys.distinct == sent.tokens.public_keys.distinct
        assert auth.tokens.rules == sent.tokens.rules
        assert auth.service is not None
        assert sent.service is not None
        assert auth.service.signing_key.public == sent.service.signing_key.public
        assert received.settings.files == settings.files
