import errno

import pytest
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
)

from adapters.rates.reasons import reason_of

REASONS = [
    (TimeoutError(), "no answer before the deadline"),
    (AuthenticationError("s3cret"), "Redis refuses the user, the password or the command"),
    (NoPermissionError("s3cret"), "Redis refuses the user, the password or the command"),
    (ReadOnlyError("s3cret"), "Redis answered with an error (ReadOnlyError)"),
    (
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        "cannot connect to redis.test:6379: connection refused",
    ),
    (RedisError("s3cret"), "connection lost"),
    (ZeroDivisionError("s3cret"), "request failed (ZeroDivisionError)"),
]


@pytest.mark.parametrize(("error", "reason"), REASONS)
def test_a_reason_has_nothing_that_an_error_says(error: Exception, reason: str) -> None:
    assert reason_of(error, "redis.test:6379").lower() == reason.lower()
