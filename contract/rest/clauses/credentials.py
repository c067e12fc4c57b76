"""R4: who is calling."""

import json

from contract.rest.answer import Answer
from contract.rest.endpoint import JSON, MUTE, Endpoint

_UNKNOWN = "no-such-token-2f6c"
_LONGEST = 4096


def requires_a_token(rest: Endpoint) -> None:
    """R4.1 A mute without a token is answered with 401."""
    _mute(rest).expect_status(401)


def rejects_unknown_tokens(rest: Endpoint) -> None:
    """R4.2 A mute with a token that is not accepted is answered with 401."""
    for token in (_UNKNOWN, f"{rest.tenant.token}x", rest.tenant.token[:-1]):
        _mute(rest, f"Authorization: Bearer {token}").expect_status(401)


def tells_its_code(rest: Endpoint) -> None:
    """R4.3 The code for a missing token, and for one that is not accepted, is UNAUTHORIZED."""
    _mute(rest).expect_code("UNAUTHORIZED")
    _mute(rest, f"Authorization: Bearer {_UNKNOWN}").expect_code("UNAUTHORIZED")


def asks_for_a_token(rest: Endpoint) -> None:
    """R4.4 A 401 for a missing token has WWW-Authenticate: Bearer."""
    _mute(rest).expect_header("WWW-Authenticate", "Bearer")


def tells_that_a_token_is_invalid(rest: Endpoint) -> None:
    """R4.5 A 401 for a token that was sent has WWW-Authenticate: Bearer error="invalid_token"."""
    for line in (f"Bearer {_UNKNOWN}", f"Basic {_UNKNOWN}", "Bearer", f"Bearer a {_UNKNOWN}"):
        answer = _mute(rest, f"Authorization: {line}")
        answer.expect_header("WWW-Authenticate", 'Bearer error="invalid_token"')


def accepts_a_parameter(rest: Endpoint) -> None:
    """R4.6 The token may be sent as the parameter api_key of the query instead."""
    _mute(rest, target=f"{MUTE}?api_key={rest.tenant.token}").expect_status(200)


def rejects_unknown_parameters(rest: Endpoint) -> None:
    """R4.7 An api_key that is not accepted is answered with 401."""
    _mute(rest, target=f"{MUTE}?api_key={_UNKNOWN}").expect_status(401)


def lets_the_header_decide(rest: Endpoint) -> None:
    """R4.8 A well-formed header takes precedence over api_key, even if its token is refused."""
    target = f"{MUTE}?api_key={rest.tenant.token}"
    _mute(rest, f"Authorization: Bearer {_UNKNOWN}", target=target).expect_status(401)


def lets_a_good_header_decide(rest: Endpoint) -> None:
    """R4.9 With a well-formed header, a wrong api_key does not matter."""
    _mute(rest, rest.tenant.bearer, target=f"{MUTE}?api_key={_UNKNOWN}").expect_status(200)


def ignores_the_case_of_the_scheme(rest: Endpoint) -> None:
    """R4.10 The scheme Bearer may be in any case."""
    for scheme in ("bearer", "BEARER", "bEaReR"):
        _mute(rest, f"Authorization: {scheme} {rest.tenant.token}").expect_status(200)


def takes_one_space(rest: Endpoint) -> None:
    """R4.11 Exactly one space stands between the scheme and the token: otherwise 401."""
    for space in ("  ", "\t", ""):
        _mute(rest, f"Authorization: Bearer{space}{rest.tenant.token}").expect_status(401)


def takes_no_other_scheme(rest: Endpoint) -> None:
    """R4.12 A token in another scheme, or in none, is answered with 401."""
    for line in (f"Basic {rest.tenant.token}", rest.tenant.token, f"Token {rest.tenant.token}"):
        _mute(rest, f"Authorization: {line}").expect_status(401)


def rejects_two_headers(rest: Endpoint) -> None:
    """R4.13 Two Authorization lines are answered with 400, even if they agree."""
    for other in (rest.tenant.bearer, f"Authorization: Bearer {_UNKNOWN}"):
        _mute(rest, rest.tenant.bearer, other).expect_status(400)


def rejects_two_parameters(rest: Endpoint) -> None:
    """R4.14 Two parameters api_key are answered with 400, even if they agree."""
    for other in (rest.tenant.token, _UNKNOWN):
        target = f"{MUTE}?api_key={rest.tenant.token}&api_key={other}"
        _mute(rest, target=target).expect_status(400)


def tells_the_code_of_two(rest: Endpoint) -> None:
    """R4.15 The code for credentials that are given twice is INVALID_REQUEST."""
    _mute(rest, rest.tenant.bearer, rest.tenant.bearer).expect_code("INVALID_REQUEST")


def rejects_long_tokens(rest: Endpoint) -> None:
    """R4.16 A token of more than 4,096 bytes is answered with 401, like any unknown one."""
    _mute(rest, f"Authorization: Bearer {'x' * (_LONGEST + 1)}").expect_status(401)


def repeats_no_token(rest: Endpoint) -> None:
    """R4.17 No answer repeats a token, accepted or not."""
    answers = {
        rest.tenant.token: _mute(rest, rest.tenant.bearer),
        _UNKNOWN: _mute(rest, f"Authorization: Bearer {_UNKNOWN}"),
        f"{_UNKNOWN}-2": _mute(rest, target=f"{MUTE}?api_key={_UNKNOWN}-2"),
    }
    for token, answer in answers.items():
        whole = f"{answer.headers} {answer.body.decode(errors='replace')}"
        answer.expect(token not in whole, "an answer without the token", f"{answer.status} with it")


def _mute(rest: Endpoint, *lines: str, target: str = MUTE) -> Answer:
    """Mute a track of the tenant's, with these credentials and no others."""
    body = json.dumps(rest.livekit.publish_in(rest.tenant.id).request()).encode()
    return rest.ask("POST", target, JSON, *lines, body=body)
