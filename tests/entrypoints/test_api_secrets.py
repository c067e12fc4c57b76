"""The settings of API secrets."""

import json
from collections.abc import Mapping

import pytest

from entrypoints.settings import load_settings
from tests.entrypoints.test_settings import problem

SECRET_PROBLEM = "must be printable ASCII without spaces"
TENANT_ID_PROBLEM = "a tenant id is 1 to 128 printable characters without white space at its ends"


def secrets_json(*entries: object) -> dict[str, str]:
    return {"AUTH_API_SECRETS_JSON": json.dumps(entries)}


class TestApiSecrets:
    def test_are_none_where_none_is_set(self) -> None:
        assert dict(load_settings({}).auth.api_secrets.tenants) == {}

    def test_may_be_one_under_a_default_id(self) -> None:
        auth = load_settings({"AUTH_API_SECRET": "s3cret"}).auth
        assert (auth.required, dict(auth.api_secrets.tenants)) == (True, {"s3cret": "default"})

    def test_may_be_one_under_an_id_of_choice(self) -> None:
        auth = load_settings({"AUTH_API_SECRET": "s3cret", "AUTH_API_SECRET_ID": "a b"}).auth
        assert dict(auth.api_secrets.tenants) == {"s3cret": "a b"}

    def test_may_be_many_with_several_for_one_id(self) -> None:
        variables = secrets_json(
            {"id": "a", "secret": "old"},
            {"id": "a", "secret": "new", "note": "since May"},
            {"id": "b", "secret": "other"},
        )
        auth = load_settings(
            {**variables, "AUTH_API_SECRET": "old", "AUTH_API_SECRET_ID": "a"}
        ).auth
        assert dict(auth.api_secrets.tenants) == {"old": "a", "new": "a", "other": "b"}

    def test_are_not_asked_for_where_authentication_is_switched_off(self) -> None:
        settings = load_settings({"AUTH_API_SECRET": "s3cret", "AUTH_REQUIRED": "false"})
        assert not settings.auth.required
        assert "authentication is off" in settings.warnings[0]

    @pytest.mark.parametrize(
        ("variables", "text"),
        [
            (
                {"AUTH_API_SECRET_ID": "a"},
                "AUTH_API_SECRET_ID: needs AUTH_API_SECRET or AUTH_API_SECRET_FILE to be set too",
            ),
            (
                {"AUTH_API_SECRET": "s3cret\n"},
                f"AUTH_API_SECRET: {SECRET_PROBLEM}",
            ),
            (
                {"AUTH_API_SECRET": "s3cret", "AUTH_API_SECRET_ID": " a"},
                f"AUTH_API_SECRET_ID: {TENANT_ID_PROBLEM}",
            ),
            (
                {"AUTH_API_SECRET": "s3cret", **secrets_json({"id": "a", "secret": "s3cret"})},
                "AUTH_API_SECRET: AUTH_API_SECRETS_JSON gives it to another id",
            ),
            (
                secrets_json({"id": "a", "secret": "s3cret"}, {"id": "b", "secret": "s3cret"}),
                "AUTH_API_SECRETS_JSON: entry 2: the same secret has another id before",
            ),
            (
                secrets_json({"id": "a", "secret": "s3cret "}),
                f"AUTH_API_SECRETS_JSON: entry 1: id or secret: {SECRET_PROBLEM}",
            ),
            (
                secrets_json({"id": "", "secret": "s3cret"}),
                f"AUTH_API_SECRETS_JSON: entry 1: id or secret: {TENANT_ID_PROBLEM}",
            ),
            (
                {"AUTH_API_SECRETS_JSON": "[s3cret"},
                "AUTH_API_SECRETS_JSON: is not JSON",
            ),
            (
                {"AUTH_API_SECRETS_JSON": '[{"id": "a", "id": "b", "secret": "s3cret"}]'},
                "AUTH_API_SECRETS_JSON: a key is given twice in one object",
            ),
        ],
    )
    def test_stop_the_start_where_they_contradict_themselves(
        self, variables: Mapping[str, str], text: str
    ) -> None:
        assert problem(variables) == text

    @pytest.mark.parametrize("value", ["[]", "{}", "null", '"s3cret"', "1"])
    def test_stop_the_start_where_they_are_no_list(self, value: str) -> None:
        text = problem({"AUTH_API_SECRETS_JSON": value})
        assert text.startswith("AUTH_API_SECRETS_JSON: must be a JSON list like ")

    @pytest.mark.parametrize(
        "entry", [{}, {"id": "a"}, {"secret": "s3cret"}, {"id": 1, "secret": "s"}, ["a", "s"], None]
    )
    def test_stop_the_start_where_an_entry_is_incomplete(self, entry: object) -> None:
        assert problem(secrets_json({"id": "a", "secret": "x"}, entry)) == (
            'AUTH_API_SECRETS_JSON: entry 2: must be an object with the strings "id" and "secret"'
        )
