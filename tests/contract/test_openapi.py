import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.openapi_document import OUTSIDE, Document, Node
from tests.support.openapi_json import PATH as JSON_PATH
from tests.support.openapi_json import openapi_json

MUTE = "/livekit/participant/mute"
COMMON_HEADERS = {"X-Request-ID", "X-Content-Type-Options", "Cache-Control"}
PROBE_ERRORS = {
    "400": {"INVALID_REQUEST"},
    "500": {"INTERNAL_ERROR"},
}
MUTE_ERRORS = {
    "400": {"INVALID_REQUEST"},
    "401": {"UNAUTHORIZED"},
    "404": {"ROOM_NOT_FOUND", "PARTICIPANT_NOT_FOUND", "TRACK_NOT_FOUND"},
    "408": {"REQUEST_TIMEOUT"},
    "413": {"PAYLOAD_TOO_LARGE"},
    "415": {"UNSUPPORTED_MEDIA_TYPE"},
    "429": {"RATE_LIMITED"},
    "500": {
        "LIVEKIT_NOT_CONFIGURED",
        "REMOTE_UNMUTE_DISABLED",
        "LIVEKIT_UNAVAILABLE",
        "MUTE_FAILED",
        "INTERNAL_ERROR",
    },
    "502": {"AUTH_SERVICE_ERROR"},
    "503": {"AUTH_SERVICE_UNAVAILABLE", "OVERLOADED"},
}
ERRORS = {
    ("post", MUTE): MUTE_ERRORS,
    ("get", "/"): PROBE_ERRORS,
    ("get", "/livez"): PROBE_ERRORS,
    ("get", "/readyz"): PROBE_ERRORS | {"503": {"NOT_READY", "OVERLOADED"}},
}


@pytest.fixture(scope="module")
def document() -> Document:
    return Document()


def operations(document: Document) -> dict[tuple[str, str], Node]:
    return {
        (method, path): operation
        for path, methods in document.root["paths"].items()
        for method, operation in methods.items()
    }


def responses(document: Document) -> Iterator[tuple[str, Node]]:
    """Every response of every operation, and those that belong to none."""
    for (method, path), operation in operations(document).items():
        for status, response in operation["responses"].items():
            yield f"{method} {path} {status}", document.resolve(response)
    for name in OUTSIDE.values():
        yield name, document.root["components"]["responses"][name]


def examples_by_name(document: Document, response: Node) -> dict[str, Any]:
    examples = response["content"]["application/json"]["examples"]
    return {name: document.resolve(example)["value"] for name, example in examples.items()}


def codes_allowed(document: Document, response: Node) -> set[str]:
    schema = response["content"]["application/json"]["schema"]
    probe = {"error": "Something went wrong."}
    every = document.root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    return {code for code in every if not document.differences({**probe, "code": code}, schema)}


def examples_with_schema(node: object, where: str = "#") -> Iterator[tuple[str, Any, Node]]:
    """Every example anywhere, beside the schema that it illustrates."""
    if isinstance(node, list):
        for index, member in enumerate(node):
            yield from examples_with_schema(member, f"{where}/{index}")
    if not isinstance(node, Mapping):
        return
    yield from examples_here(node, where)
    for key, member in node.items():
        yield from examples_with_schema(member, f"{where}/{key}")


def examples_here(node: Node, where: str) -> Iterator[tuple[str, Any, Node]]:
    examples = node.get("examples")
    schema = node.get("schema", node)
    if "example" in node:
        yield where, node["example"], schema
    if isinstance(examples, list):
        for value in examples:
            yield where, value, schema
    if isinstance(examples, Mapping):
        for name, example in examples.items():
            yield f"{where}/{name}", example["value"], schema


class TestOpenApiDocument:
    def test_is_valid_openapi_3_1(self, document: Document) -> None:
        assert document.root["openapi"] == "3.1.0"
        OpenAPIV31SpecValidator(dict(document.root)).validate()

    def test_is_the_same_as_json(self) -> None:
        assert JSON_PATH.read_text() == openapi_json(), "run `make openapi-json`"

    def test_gives_every_operation_a_name_of_its_own_a_tag_and_a_summary(
        self, document: Document
    ) -> None:
        every = operations(document)
        assert set(every) == set(ERRORS)
        assert len({operation["operationId"] for operation in every.values()}) == len(every)
        assert all(operation["summary"] and operation["tags"] for operation in every.values())

    def test_lets_callers_of_the_mute_choose_how_to_authenticate_and_probes_do_without(
        self, document: Document
    ) -> None:
        every = operations(document)
        assert document.root["security"] == [{"bearerAuth": []}, {"apiKeyQuery": []}, {}]
        assert {key: node.get("security") for key, node in every.items()} == {
            key: None if key == ("post", MUTE) else [] for key in every
        }

    def test_shows_only_examples_that_match_their_own_schema(self, document: Document) -> None:
        found = list(examples_with_schema(document.root))
        wrong = {
            where: differences
            for where, value, schema in found
            if (differences := document.differences(value, schema))
        }
        assert len(found) > 40
        assert not wrong

    def test_ties_every_error_code_to_its_status_and_route(self, document: Document) -> None:
        documented = {
            key: {
                status: codes_allowed(document, document.resolve(response))
                for status, response in operation["responses"].items()
                if status != "200"
            }
            for key, operation in operations(document).items()
        }
        assert documented == ERRORS

    def test_documents_success_as_200_alone(self, document: Document) -> None:
        for operation in operations(document).values():
            assert {s for s in operation["responses"] if s < "400"} == {"200"}

    def test_shows_every_response_and_every_code_that_it_may_carry(
        self, document: Document
    ) -> None:
        for where, response in responses(document):
            examples, codes = (
                examples_by_name(document, response),
                codes_allowed(document, response),
            )
            assert examples, where
            if codes:
                named = {name: example["code"] for name, example in examples.items()}
                assert named == {code: code for code in codes}, where

    def test_shows_every_code_somewhere(self, document: Document) -> None:
        shown = {
            example.get("code")
            for _, response in responses(document)
            for example in examples_by_name(document, response).values()
        }
        codes = document.root["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
        assert len(codes) == len(set(codes))
        assert shown - {None} == set(codes)

    def test_demands_the_common_headers_of_every_response(self, document: Document) -> None:
        for where, response in responses(document):
            headers = {k: document.resolve(v) for k, v in response["headers"].items()}
            assert set(headers) >= COMMON_HEADERS, where
            assert all(headers[name]["required"] for name in COMMON_HEADERS), where

    @pytest.mark.parametrize(
        ("status", "name", "required"),
        [("401", "WWW-Authenticate", True), ("503", "Retry-After", False)],
    )
    def test_documents_the_header_that_goes_with_a_status(
        self, document: Document, status: str, name: str, *, required: bool
    ) -> None:
        response = document.resolve(operations(document)["post", MUTE]["responses"][status])
        assert document.resolve(response["headers"][name])["required"] is required

    def test_is_closed_for_answers_and_open_for_requests(self, document: Document) -> None:
        schemas = document.root["components"]["schemas"]
        open_ = {name for name, schema in schemas.items() if schema.get("additionalProperties")}
        closed = {n for n, schema in schemas.items() if schema.get("additionalProperties") is False}
        assert (open_, closed) == ({"MuteRequest"}, {"MuteResponse", "Alive", "Ready", "Error"})


class TestMuteRequestSchema:
    GOOD: Mapping[str, object] = {
        "room_name": "conversation-room-123",
        "participant_identity": "user-alice-456",
        "track_sid": "TR_abc123",
        "muted": True,
    }

    def accepts(self, document: Document, **changes: object) -> bool:
        schema = document.root["components"]["schemas"]["MuteRequest"]
        return not document.differences({**self.GOOD, **changes}, schema)

    def test_calls_blank_exactly_what_strip_empties_over_all_of_unicode(
        self, document: Document
    ) -> None:
        pattern = re.compile(document.root["components"]["schemas"]["NotBlank"]["pattern"])
        surrogates = range(0xD800, 0xE000)
        characters = (chr(c) for c in range(sys.maxunicode + 1) if c not in surrogates)
        wrong = [c for c in characters if bool(pattern.search(c)) != bool(c.strip())]
        assert not wrong
        assert not pattern.search("")

    def test_spells_blank_so_that_ecma_script_reads_it_alike(self, document: Document) -> None:
        pattern = document.root["components"]["schemas"]["NotBlank"]["pattern"]
        assert re.fullmatch(r"\[\^(\\u[0-9a-f]{4}(-\\u[0-9a-f]{4})?)+\]", pattern)

    @pytest.mark.parametrize("field", ["room_name", "participant_identity", "track_sid"])
    @pytest.mark.parametrize("value", ["", " ", "\t\u3000\x1c", 1, None, ["a"], True])
    def test_refuses_a_text_that_is_blank_or_none(
        self, document: Document, field: str, value: object
    ) -> None:
        assert not self.accepts(document, **{field: value})

    @pytest.mark.parametrize("value", ["true", 1, 0, None, []])
    def test_refuses_a_state_that_is_no_boolean(self, document: Document, value: object) -> None:
        assert not self.accepts(document, muted=value)

    @pytest.mark.parametrize("field", GOOD)
    def test_refuses_a_missing_field(self, document: Document, field: str) -> None:
        value = {name: member for name, member in self.GOOD.items() if name != field}
        schema = document.root["components"]["schemas"]["MuteRequest"]
        assert document.differences(value, schema)

    def test_bounds_the_sid_at_128_characters_and_no_other_text(self, document: Document) -> None:
        assert self.accepts(document, track_sid="😀" * 128)
        assert not self.accepts(document, track_sid="a" * 129)
        assert self.accepts(document, room_name="a" * 129, participant_identity="a" * 129)

    def test_accepts_texts_as_they_are_and_ignores_other_members(self, document: Document) -> None:
        assert self.accepts(document, room_name=" a\u3000", participant_identity="\u200b", more=1)
