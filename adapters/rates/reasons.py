"""Why Redis does not tell a rate, in constant texts of ours."""

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from adapters.http_client.causes import cause_of

NO_ANSWER = "no answer before the deadline"


def reason_of(error: Exception, address: str) -> str:
    """Return what an error of the client's means; ``address`` is the server's."""
    system = error if isinstance(error, OSError) else error.__context__
    match error:
        case TimeoutError():
            reason = NO_ANSWER
        case AuthenticationError() | NoPermissionError():
            reason = "Redis refuses the user, the password or the command"
        case ResponseError():
            reason = f"Redis answered with an error ({type(error).__name__})"
        case _ if isinstance(system, OSError):
            reason = f"cannot connect to {address}: {cause_of(system)}"
        case RedisError():
            reason = "connection lost"
        case _:
            reason = f"request failed ({type(error).__name__})"
    return reason
