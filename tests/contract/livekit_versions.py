"""How the LiveKit versions that are tested differ in what the tests see of them."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from tests.contract.livekit_over_http import HttpAnswer, twirp_error

CANCELED: Final = twirp_error(408, "canceled", "twirp error unknown: request canceled")
NO_RESPONSE: Final = twirp_error(
    503, "unavailable", "twirp error unknown: no response from servers"
)


@frozen(kw_only=True)
class Behaviour:
    """The answers of a version that are not those of every other one."""

    wrong_secret: str
    expired: str
    not_valid_yet: str
    nobody_to_remove: HttpAnswer
    max_metadata: int
    """In bytes."""
    limits_metadata_of_new_rooms: bool
    after_the_timeout: tuple[HttpAnswer, ...]
    """What a mute may be answered after the timeout that its header asks for."""


BEHAVIOUR: Final[Mapping[tuple[int, ...], Behaviour]] = {
    (1, 13, 5): Behaviour(
        wrong_secret="token signature is invalid: signature is invalid",
        expired="token has invalid claims: token is expired",
        not_valid_yet="token has invalid claims: token is not valid yet",
        nobody_to_remove=twirp_error(
            404, "not_found", "twirp error unknown: participant does not exist"
        ),
        max_metadata=524_288,
        limits_metadata_of_new_rooms=True,
        after_the_timeout=(CANCELED,),
    ),
    (1, 9, 11): Behaviour(
        wrong_secret="go-jose/go-jose: error in cryptographic primitive",
        expired="go-jose/go-jose/jwt: validation failed, token is expired (exp)",
        not_valid_yet="go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)",
        nobody_to_remove=twirp_error(404, "not_found", "participant not found"),
        max_metadata=64_000,
        limits_metadata_of_new_rooms=False,
        after_the_timeout=(CANCELED, NO_RESPONSE),
    ),
}
"""By version; the tests fail on a version that is not listed here."""
