import pytest

from domain.rate import Rate
from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem
from tests.support.secret_scan import keep

TENANT = {"AUTH_API_SECRET": "s3cret", "RATE_LIMIT_PER_TENANT": "50/second"}


class TestRate:
    @pytest.mark.parametrize(
        ("text", "quota", "window_s"),
        [
            ("50/second", 50, 1),
            ("50 per second", 50, 1),
            ("1 / minute", 1, 60),
            ("100000/day", 100_000, 86_400),
            ("100 per 5 minutes", 100, 300),
            ("7/24 Hours", 7, 86_400),
        ],
    )
    def test_is_how_many_within_how_long(self, text: str, quota: int, window_s: int) -> None:
        settings = load_settings({**TENANT, "RATE_LIMIT_PER_TENANT": text})
        assert settings.rates.per_tenant == Rate(quota=quota, window_s=window_s)

    @pytest.mark.parametrize(
        "text",
        [
            "50",
            "0/second",
            "-1/second",
            "1.5/second",
            "100001/second",
            "1 per 0 seconds",
            "2/month",
            "1/25hours",
            "1/second;5/minute",
            "50/s",
            "50/secondly",
            "/second",
            "\u0665/second",
        ],
    )
    @pytest.mark.parametrize("name", ["RATE_LIMIT_PER_TENANT", "AUTH_FAILURE_RATE_LIMIT"])
    def test_is_an_error_otherwise(self, name: str, text: str) -> None:
        assert problem({**TENANT, name: text}) == (
            f"{name}: must be a rate like 50/second or 100 per 5 minutes:"
            " from 1 to 100000, within at most a day"
        )

    def test_is_none_by_default(self) -> None:
        settings = load_settings({})
        assert settings.rates.per_tenant is settings.auth.failure_rate is None


class TestStorageUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "redis://127.0.0.1",
            "redis://redis.example.com:6379/0",
            "rediss://user:p%40ss@redis.example.com:6380/15",
            "redis://:password@[::1]:6379",
            "redis://my_redis/",
        ],
    )
    def test_is_that_of_a_redis(self, url: str) -> None:
        settings = load_settings({**TENANT, "RATE_LIMIT_STORAGE_URL": url})
        assert settings.rates.storage_url == url

    @pytest.mark.parametrize(
        "url",
        [
            "memory://",
            "http://127.0.0.1",
            "redis://",
            "redis:///0",
            "redis://:6379",
            "redis://127.0.0.1:0",
            "redis://127.0.0.1:65536",
            "redis://127.0.0.1:x",
            "redis://127.0.0.1/zero",
            "redis://127.0.0.1/0?socket_timeout=1",
            "redis://127.0.0.1#x",
            "redis://:a@b@127.0.0.1",
            "redis://:a:b@127.0.0.1",
            "redis+sentinel://127.0.0.1/x",
        ],
    )
    def test_is_an_error_otherwise(self, url: str) -> None:
        found = problem({**TENANT, "RATE_LIMIT_STORAGE_URL": url})
        assert found.startswith("RATE_LIMIT_STORAGE_URL: must be a URL like redis://:password@")

    def test_has_a_password_that_is_not_shown(self) -> None:
        password = keep("s3cret-of-redis%40home")
        url = f"redis://:{password}@127.0.0.1"
        settings = load_settings({**TENANT, "RATE_LIMIT_STORAGE_URL": url})
        assert {password, "s3cret-of-redis@home"} <= settings.secrets
        assert "s3cret-of-redis" not in repr(settings)

    def test_needs_a_rate(self) -> None:
        variables = {"AUTH_API_SECRET": "s3cret", "RATE_LIMIT_STORAGE_URL": "redis://x"}
        assert problem(variables) == (
            "RATE_LIMIT_STORAGE_URL: needs RATE_LIMIT_PER_TENANT to be set too"
        )
