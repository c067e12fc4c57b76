"""Holds answers, as they stand on the wire, to contract/openapi.yaml."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from attrs import frozen
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

Node = Mapping[str, Any]  # a part of the document, as YAML gives it

ERROR_MEDIA_TYPE = "application/json; charset=utf-8"

# What may answer a request that belongs to no operation.
OUTSIDE = {
    400: "MalformedRequest",
    404: "NotFound",
    405: "MethodNotAllowed",
    500: "InternalError",
    503: "Overloaded",
}


@frozen
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers.items() if key.lower() == name.lower()]


@cache
def _read() -> Node:
    root: Node = yaml.safe_load((resources.files("contract") / "openapi.yaml").read_bytes())
    return root


class Document:
    """The contract, read once; every check raises AssertionError that says what differs."""

    def __init__(self) -> None:
        self.root = _read()
        resource = DRAFT202012.create_resource(self.root)
        self._resolver = Registry().with_resource("", resource).resolver()

    def check(
        self, *, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Hold an answer to what the document says of its method and path (any query ignored).

        A HEAD is held to what GET answers, without the body.
        """
        response = self._response(method, path.partition("?")[0], status)
        answer = _Answer(status, headers, body)
        self._check_headers(response, answer)
        if method == "HEAD":
            assert not body, f"a body of {len(body)} bytes answers a HEAD"
        else:
            self._check_body(response, answer)

    def check_error(self, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Hold the answer to malformed HTTP, or to an unknown path or method, to its error."""
        response, answer = self._outside(status), _Answer(status, headers, body)
        self._check_headers(response, answer)
        self._check_body(response, answer)

    def resolve(self, node: Node) -> Node:
        """Follow a node's ``$ref`` where it has one."""
        found: Node = self._resolver.lookup(node["$ref"]).contents if "$ref" in node else node
        return found

    def differences(self, value: object, schema: Node) -> list[str]:
        """Tell where a value is not what a schema of the document demands, and why."""
        bundled = {**schema, "components": self.root["components"]}
        errors = Draft202012Validator(bundled).iter_errors(value)
        return [f"{error.json_path}: {error.message}" for error in errors]

    def _response(self, method: str, path: str, status: int) -> Node:
        methods = {name.upper(): node for name, node in self.root["paths"].get(path, {}).items()}
        operation = methods.get("GET" if method == "HEAD" else method)
        if operation is None:
            return self._outside(status)
        assert str(status) in operation["responses"], f"{method} {path} documents no {status}"
        return self.resolve(operation["responses"][str(status)])

    def _outside(self, status: int) -> Node:
        assert status in OUTSIDE, f"status {status} is documented for no unknown path or method"
        response: Node = self.root["components"]["responses"][OUTSIDE[status]]
        return response

    def _check_headers(self, response: Node, answer: _Answer) -> None:
        for name, reference in response["headers"].items():
            header, values = self.resolve(reference), answer.values(name)
            assert values or not header["required"], f"header {name} is missing"
            assert len(values) <= 1, f"header {name} is there {len(values)} times"
            wrong = [text for value in values for text in self.differences(value, header["schema"])]
            assert not wrong, f"header {name}: {wrong}"
        media_types = {ERROR_MEDIA_TYPE} | ({"application/json"} if answer.status < 400 else set())
        media_type = ", ".join(answer.values("Content-Type"))
        assert media_type in media_types, f"Content-Type is {media_type!r}, not in {media_types}"
        server = ", ".join(answer.values("Server"))
        assert not any(c.isdigit() for c in server), f"Server tells a version: {server!r}"

    def _check_body(self, response: Node, answer: _Answer) -> None:
        try:
            value = json.loads(answer.body.decode())
        except ValueError as error:
            raise AssertionError(f"the body is not JSON in UTF-8: {error}") from error
        differences = self.differences(value, response["content"]["application/json"]["schema"])
        assert not differences, f"the body differs: {differences}"
        if value.get("code") == "OVERLOADED":  # OpenAPI cannot tie a header to a code
            assert answer.values("Retry-After"), "OVERLOADED without Retry-After"
