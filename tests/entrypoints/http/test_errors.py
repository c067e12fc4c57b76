from collections.abc import Iterator

import pytest
from aiohttp import web

from application.ports.authenticator import AuthenticatorError
from application.ports.room_gateway import RoomGatewayError
from domain.room import NotFoundError
from entrypoints.http.errors import ANSWERS, ApiError, answer_for
from tests.document import Document


def leaves(family: type[Exception]) -> Iterator[type[Exception]]:
    """The classes of our own that are raised: those without a subclass outside of an adapter."""
    ours = [kind for kind in family.__subclasses__() if not kind.__module__.startswith("adapters")]
    if not ours:
        yield family
    for kind in ours:
        yield from leaves(kind)


FAMILIES = (NotFoundError, RoomGatewayError, AuthenticatorError, ApiError)


class TestAnswers:
    @pytest.mark.parametrize("leaf", [leaf for family in FAMILIES for leaf in leaves(family)])
    def test_have_a_row_for_every_error_of_ours(self, leaf: type[Exception]) -> None:
        row = next(base for base in leaf.__mro__ if base in ANSWERS)
        assert row is not Exception

    def test_have_a_fallback(self) -> None:
        assert answer_for(KeyError("s3cret")).code == "INTERNAL_ERROR"
        assert answer_for(web.HTTPForbidden()).code == "INTERNAL_ERROR"

    def test_have_documented_codes(self) -> None:
        documented = Document().root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        assert {answer.code for answer in ANSWERS.values()} == set(documented) - {
            "RATE_LIMITED",
        }
