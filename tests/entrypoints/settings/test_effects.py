"""Variables that are set and have no effect beside the others."""

from collections.abc import Mapping

import pytest

from entrypoints.settings.auth import AUTHENTICATION
from entrypoints.settings.livekit import LIVEKIT_GROUPS
from entrypoints.settings.rates import RATES
from entrypoints.settings.rooms import GatewayKind
from entrypoints.settings.settings import load_settings
from tests.entrypoints.settings.test_settings import LIVEKIT, problem
from tests.entrypoints.settings.test_variables import FIELDS, declared_settings

SECRET = {"AUTH_API_SECRET": "s3cret"}
JWKS = {"AUTH_JWKS_URL": "https://keys.example.com"}
USED = {
    "AUTH_REQUIRED": "true",
    "DRAIN_TIMEOUT_SECONDS": "0.5",
    "LIVEKIT_PROBE_DELAY_SECONDS": "0.2",
    "MAX_IN_FLIGHT": "1",
    "MAX_IN_FLIGHT_PER_TENANT": "1",
    "MAX_TOKEN_BYTES": "99",
}
"""Values below the limits that apply to them."""
OFF = {"AUTH_REQUIRED": "false"}
NEEDS_SERVER = "has no effect: needs AUTH_JWKS_URL or AUTH_SERVICE_URL to be set too"
NEEDS_TOKENS = (
    "has no effect: needs AUTH_JWKS_URL, AUTH_JWT_PUBLIC_KEY_PATH or AUTH_SERVICE_URL to be set too"
)
IS_OFF = "has no effect: authentication is off"
IS_DEMO = "has no effect: the in-memory demo does not call LiveKit"


@pytest.fixture
def service(signing_key: str) -> dict[str, str]:
    """The settings of an authentication service."""
    return {"AUTH_SERVICE_URL": "https://auth.example.com", "AUTH_SIGNING_KEY_PATH": signing_key}


@pytest.fixture
def everything(
    service: dict[str, str], public_key: str, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """A valid value for each variable of ours."""
    folder = tmp_path_factory.mktemp("files")
    values = {name: text for name, (text, _, _) in FIELDS.items()}
    values |= {**service, "AUTH_JWT_PUBLIC_KEY_PATH": public_key}
    for setting in declared_settings():
        if setting.file:
            (folder / setting.file).write_text(values[setting.variable])
            values[setting.file] = str(folder / setting.file)
    return values


@pytest.fixture
def all_direct(everything: Mapping[str, str]) -> Mapping[str, str]:
    """All variables at once, but for those that stand for another one."""
    left_out = {one.file for one in declared_settings()} | {"AUTH_JWT_PUBLIC_KEY_PATH"}
    return {name: text for name, text in everything.items() if name not in left_out} | USED


@pytest.fixture
def all_files(everything: Mapping[str, str]) -> Mapping[str, str]:
    """All variables at once, those that name files in place of the others."""
    left_out = {one.variable for one in declared_settings() if one.file} | {"AUTH_JWKS_URL"}
    return {name: text for name, text in everything.items() if name not in left_out} | USED


def names_of(groups: object) -> list[str]:
    assert isinstance(groups, tuple)
    return [name for group in groups for one in group.settings.values() for name in one.names]


def without_effect(
    variables: Mapping[str, str], gateway: GatewayKind = "livekit"
) -> dict[str, str]:
    """Return what is said of each variable that has no effect."""
    found = load_settings(variables, gateway=gateway).without_effect
    return {text.partition(" ")[0]: text.partition(" ")[2] for text in found}


class TestWithoutEffect:
    def test_is_nothing_where_everything_is_used(
        self, all_direct: Mapping[str, str], all_files: Mapping[str, str]
    ) -> None:
        assert without_effect(all_direct) == without_effect(all_files) == {}

    def test_is_every_variable_of_authentication_where_it_is_off(
        self, all_direct: Mapping[str, str], all_files: Mapping[str, str]
    ) -> None:
        of_limits = {"MAX_TOKEN_BYTES", "MAX_IN_FLIGHT_PER_TENANT"}
        expected = {*names_of((*AUTHENTICATION, RATES)), *of_limits} - {"AUTH_REQUIRED"}
        found = without_effect({**all_direct, **OFF}) | without_effect({**all_files, **OFF})
        assert found == dict.fromkeys(expected, IS_OFF)

    def test_is_every_variable_of_livekit_in_the_demo(self, everything: Mapping[str, str]) -> None:
        found = {
            name: without_effect({name: everything[name]}, "in-memory")
            for name in names_of(LIVEKIT_GROUPS)
        }
        assert found == {name: {name: IS_DEMO} for name in found}

    def test_is_every_variable_of_livekit_until_all_three_are_set(
        self, everything: Mapping[str, str]
    ) -> None:
        for name in names_of(LIVEKIT_GROUPS):
            found = without_effect({name: everything[name]})
            assert list(found) == [name]
            assert found[name].startswith("has no effect: needs LIVEKIT_"), name
        assert without_effect({"LIVEKIT_URL": LIVEKIT["LIVEKIT_URL"]}) == {
            "LIVEKIT_URL": (
                "has no effect: needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET to be set too"
            )
        }

    def test_is_a_variable_that_the_configured_sources_do_not_use(
        self, service: dict[str, str], public_key: str
    ) -> None:
        timeout, allow = {"AUTH_TIMEOUT_SECONDS": "7"}, {"AUTH_ALLOW_NO_ID": "false"}
        keys = {"AUTH_JWT_PUBLIC_KEY_PATH": public_key}
        cases: list[tuple[Mapping[str, str], dict[str, str]]] = [
            ({**SECRET, **timeout}, {"AUTH_TIMEOUT_SECONDS": NEEDS_SERVER}),
            ({**keys, **timeout}, {"AUTH_TIMEOUT_SECONDS": NEEDS_SERVER}),
            ({**SECRET, **JWKS, **timeout}, {}),
            ({**JWKS, "AUTH_TIMEOUT_SECONDS": "60"}, {}),  # no request waits for the whole of it
            ({**SECRET, **service, **timeout}, {}),
            ({**SECRET, **allow}, {"AUTH_ALLOW_NO_ID": NEEDS_TOKENS}),
            ({**keys, **allow}, {}),
            ({**service, **allow}, {}),
        ]
        assert [without_effect(variables) for variables, _ in cases] == [
            expected for _, expected in cases
        ]

    def test_is_an_unknown_variable_that_begins_like_those_of_authentication(self) -> None:
        for others in (SECRET, OFF):
            assert without_effect({**others, "AUTH_MODE": "x", "JWT_SECRET": "x"}) == {
                "AUTH_MODE": "is no setting"
            }

    def test_is_a_limit_that_another_one_keeps_from_being_reached(
        self, service: dict[str, str]
    ) -> None:
        first = "which applies first"
        cases = {
            ("LIVEKIT_TIMEOUT_SECONDS", "20"): f"is longer than REQUEST_TIMEOUT_SECONDS, {first}",
            ("AUTH_TIMEOUT_SECONDS", "20"): f"is longer than REQUEST_TIMEOUT_SECONDS, {first}",
            ("BODY_TIMEOUT_SECONDS", "20"): f"is longer than REQUEST_TIMEOUT_SECONDS, {first}",
            ("DRAIN_TIMEOUT_SECONDS", "20"): f"is longer than REQUEST_TIMEOUT_SECONDS, {first}",
            ("READY_TIMEOUT_SECONDS", "6"): f"is longer than LIVEKIT_TIMEOUT_SECONDS, {first}",
            ("LIVEKIT_PROBE_DELAY_SECONDS", "6"): (
                f"is longer than LIVEKIT_TIMEOUT_SECONDS, {first}"
            ),
            ("MAX_IN_FLIGHT", "4096"): f"is larger than MAX_CONNECTIONS, {first}",
            ("MAX_IN_FLIGHT_PER_TENANT", "513"): f"is larger than MAX_IN_FLIGHT, {first}",
            ("MAX_TOKEN_BYTES", "9000"): f"is larger than MAX_LINE_BYTES, {first}",
        }
        found = {
            (name, value): without_effect({**LIVEKIT, **service, name: value})
            for name, value in cases
        }
        assert found == {(name, value): {name: text} for (name, value), text in cases.items()}

    def test_is_not_what_only_a_default_exceeds(self) -> None:
        small = {"MAX_CONNECTIONS": "1", "REQUEST_TIMEOUT_SECONDS": "1", "MAX_LINE_BYTES": "256"}
        assert without_effect({**LIVEKIT, **SECRET, **small}) == {}

    def test_needs_no_mention_where_the_start_stops(self, everything: Mapping[str, str]) -> None:
        """Every variable of authentication alone, without any source, stops the start."""
        alone = {name: problem({name: everything[name]}) for name in names_of(AUTHENTICATION)}
        sources = {name for name, text in alone.items() if text == "accepted"}
        assert sources == {
            "AUTH_REQUIRED",
            "AUTH_API_SECRETS_JSON",
            "AUTH_API_SECRETS_FILE",
            "AUTH_API_SECRET",
            "AUTH_API_SECRET_FILE",
            "AUTH_JWKS_URL",
            "AUTH_JWT_PUBLIC_KEY_PATH",
        }
