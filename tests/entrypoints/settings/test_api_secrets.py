"""The settings of API secrets."""

import json

from adapters.identity.api_secrets import ApiSecrets
from domain.caller import TenantId
from entrypoints.settings.api_secrets import ApiSecretSettings
from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import problem

SECRET_PROBLEM = "must be printable ASCII without spaces"
TENANT_ID_PROBLEM = "a tenant id is 1 to 128 printable characters without white space at its ends"


def secrets_json(*entries: object) -> dict[str, str]:
    return {"AUTH_API_SECRETS_JSON": json.dumps(entries)}


class TestApiSecrets:
    def test_are_empty_by_default(self) -> None:
        assert dict(load_settings({}).auth.api_secrets.tenants) == {}

    def test_may_be_one_for_the_default_tenant(self) -> None:
        auth = load_settings({"AUTH_API_SECRET": "s3cret"}).auth
        assert (auth.required, dict(auth.api_secrets.tenants)) == (True, {"s3cret": "default"})

    def test_may_be_one_for_a_chosen_tenant(self) -> None:
        auth = load_settings({"AUTH_API_SECRET": "s3cret", "AUTH_API_SECRET_ID": "a b"}).auth
        assert dict(auth.api_secrets.tenants) == {"s3cret": "a b"}

    def test_may_be_several_for_one_tenant(self) -> None:
        variables = secrets_json(
            {"id": "a", "secret": "old"},
            {"id": "a", "secret": "new", "note": "since May"},
            {"id": "b", "secret": "other"},
        )
        auth = load_settings(
            {**variables, "AUTH_API_SECRET": "old", "AUTH_API_SECRET_ID": "a"}
        ).auth
        assert dict(auth.api_secrets.tenants) == {"old": "a", "new": "a", "other": "b"}

    def test_may_have_quotation_marks_at_their_ends_in_the_list(self) -> None:
        auth = load_settings(secrets_json({"id": "a", "secret": '"s3cret"'})).auth
        assert dict(auth.api_secrets.tenants) == {'"s3cret"': "a"}

    def test_are_named_by_their_entries_or_by_their_places(self) -> None:
        variables = secrets_json(
            {"id": "a", "secret": "old", "name": "of-May.2026_1"},
            {"id": "a", "secret": "new"},
            {"id": "a", "secret": "old", "name": "not-used"},
            {"id": "b", "secret": "other", "name": "of-May.2026_1"},
        )
        names = {"old": "of-May.2026_1", "new": "#2", "other": "of-May.2026_1"}
        assert load_settings(variables).auth.api_secrets.names == names
        known = load_settings({**variables, "AUTH_API_SECRET": "one-more"}).auth.api_secrets
        assert known.names == {**names, "one-more": "AUTH_API_SECRET"}
        same = {"AUTH_API_SECRET": "new", "AUTH_API_SECRET_ID": "a"}
        assert load_settings({**variables, **same}).auth.api_secrets.names == names

    def test_stop_the_start_if_a_name_is_unsuitable(self) -> None:
        for name in (
            "",
            " ",
            "#2",
            "-a",
            "a b",
            "a\n",
            "\x1b[31m",
            "\u00e4",
            "\u0661",
            "x" * 65,
            1,
        ):
            assert problem(secrets_json({"id": "a", "secret": "s3cret", "name": name})) == (
                "AUTH_API_SECRETS_JSON: entry 1: name: must be 1 to 64 letters, digits, dots,"
                " hyphens or underscores, of which the first is a letter or a digit"
            ), name
        assert problem(secrets_json({"id": "a", "secret": "s3cret", "name": "s3cret"})) == (
            "AUTH_API_SECRETS_JSON: entry 1: name: is the secret itself, and the log would show it"
        )
        assert problem(secrets_json({"id": "a", "secret": "s", "name": "AUTH_API_SECRET"})) == (
            "AUTH_API_SECRETS_JSON: entry 1: name: is what the log calls the secret in the"
            " variable of this name"
        )
        twice = [{"id": "a", "secret": secret, "name": "x"} for secret in ("old", "new")]
        assert problem(secrets_json(*twice)) == (
            "AUTH_API_SECRETS_JSON: entry 2: an earlier entry with this id has this name"
        )

    def test_are_not_required_if_authentication_is_switched_off(self) -> None:
        settings = load_settings({"AUTH_API_SECRET": "s3cret", "AUTH_REQUIRED": "false"})
        assert not settings.auth.required
        assert "authentication is off" in settings.warnings[0]

    def test_are_kept_out_of_the_repr(self) -> None:
        settings = ApiSecretSettings(listed=ApiSecrets({"s3cret": TenantId("a")}), secret="s3cret")
        assert "s3cret" not in repr(settings)

    def test_stop_the_start_if_they_contradict_each_other(self) -> None:
        cases: list[tuple[dict[str, str], str]] = [
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
                "AUTH_API_SECRET: AUTH_API_SECRETS_JSON lists it with another id",
            ),
            (
                secrets_json({"id": "a", "secret": "s3cret"}, {"id": "b", "secret": "s3cret"}),
                "AUTH_API_SECRETS_JSON: entry 2: an earlier entry has this secret with another id",
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
                "AUTH_API_SECRETS_JSON: is not JSON (line 1, column 2)",
            ),
            (
                {"AUTH_API_SECRETS_JSON": '[\n  {"id": "a", "secret": "s3cret"},\n]'},
                "AUTH_API_SECRETS_JSON: is not JSON (line 3, column 1)",
            ),
            (
                {"AUTH_API_SECRETS_JSON": "[" * 100_000},
                "AUTH_API_SECRETS_JSON: is nested more than 64 deep",
            ),
            (
                {"AUTH_API_SECRETS_JSON": '[{"id": "a", "id": "b", "secret": "s3cret"}]'},
                "AUTH_API_SECRETS_JSON: a key is given twice in one object",
            ),
        ]
        assert [problem(variables) for variables, _ in cases] == [text for _, text in cases]

    def test_stop_the_start_if_they_are_not_a_list(self) -> None:
        for value in ("[]", "{}", "null", "1"):
            text = problem({"AUTH_API_SECRETS_JSON": value})
            assert text.startswith("AUTH_API_SECRETS_JSON: must be a JSON list like "), value

    def test_stop_the_start_if_an_entry_is_incomplete(self) -> None:
        entries: list[object] = [
            {},
            {"id": "a"},
            {"secret": "s3cret"},
            {"id": 1, "secret": "s"},
            ["a", "s"],
            None,
        ]
        for entry in entries:
            assert problem(secrets_json({"id": "a", "secret": "x"}, entry)) == (
                "AUTH_API_SECRETS_JSON: entry 2:"
                ' must be an object with the strings "id" and "secret"'
            )
