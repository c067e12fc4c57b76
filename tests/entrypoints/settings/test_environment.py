import re
from collections.abc import Callable

import pytest
from attrs import frozen

from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import boolean, integer, one_of, printable, seconds


class TestParsers:
    def test_take_valid_texts(self) -> None:
        cases: list[tuple[Callable[[str], object], str, object]] = [
            (boolean, "true", True),
            (boolean, "YES", True),
            (boolean, "1", True),
            (boolean, "on", True),
            (boolean, "False", False),
            (boolean, "no", False),
            (boolean, "0", False),
            (boolean, "off", False),
            (integer(0, 65535), "0", 0),
            (integer(0, 65535), "65535", 65535),
            (seconds(60), "0.25", 0.25),
            (seconds(60), "60", 60.0),
            (seconds(60, zero=True), "0", 0.0),
            (one_of("json", "console"), "JSON", "json"),
            (printable, "a!~", "a!~"),
        ]
        for parse, text, value in cases:
            assert parse(text) == value, text

    @pytest.mark.parametrize(
        ("parse", "texts"),
        [
            (boolean, ["2", "tru", "y", " true", "none"]),
            (
                integer(1, 9),
                ["0", "10", "-1", "+1", "1.0", "1e0", " 1", "1 ", "3_0", "x", "٣", "9" * 99],
            ),
            (
                seconds(60),
                ["0", "0.0", "-1", "61", "inf", "nan", "1e1", " 5", "1_0", ".5", "5.", "9" * 99],
            ),
            (one_of("json", "console"), ["xml", "json ", "jsonconsole"]),
            (printable, [" ", "a b", "a\n", "\u00e9", "\x7f", "a\r"]),
        ],
        ids=["boolean", "integer", "seconds", "one of", "printable"],
    )
    def test_reject_the_rest_without_repeating_it(
        self, parse: Callable[[str], object], texts: list[str]
    ) -> None:
        for text in texts:
            with pytest.raises(ValueError, match=r"^must be ") as rejection:
                parse(text)
            assert f" {text} " not in f" {rejection.value} "


@frozen
class Box:
    open: bool = True
    width: int = 1


BOX = SettingGroup(Box, {"open": Setting("OPEN", boolean, "")})


class TestEnvironment:
    def test_fills_a_class_with_what_is_set(self) -> None:
        assert Environment({"OPEN": "no"}).fill(BOX) == Box(open=False)

    def test_leaves_the_rest_to_the_defaults_of_the_class(self) -> None:
        assert Environment({"OPEN": ""}).fill(BOX, width=2) == Box(open=True, width=2)

    def test_prefers_variables_to_the_fields_that_are_passed(self) -> None:
        assert Environment({}).fill(BOX, open=False) == Box(open=False)
        assert Environment({"OPEN": "yes"}).fill(BOX, open=False) == Box(open=True)

    def test_names_the_variable_and_never_its_value(self) -> None:
        with pytest.raises(SettingsError) as rejection:
            Environment({"OPEN": "s3cret"}).fill(BOX)
        assert str(rejection.value) == "OPEN: must be true or false"

    def test_names_an_odd_variable_in_one_line(self) -> None:
        odd = SettingGroup(Box, {"open": Setting("A\nB", boolean, "")})
        with pytest.raises(SettingsError) as rejection:
            Environment({"A\nB": "s3cret"}).fill(odd)
        assert str(rejection.value) == "'A\\nB': must be true or false"

    def test_keeps_values_out_of_its_repr(self) -> None:
        assert "s3cret" not in repr(Environment({"A": "s3cret"}))


KNOWN = (
    "AUTH_REQUIRED",
    "HEADERS_TIMEOUT_SECONDS",
    "HOST",
    "LIVEKIT_API_KEY",
    "LIVEKIT_URL",
    "LOG_LEVEL",
    "MAX_LINE_BYTES",
)


def check(name: str, value: str = "s3cret") -> str:
    """Give the text of the error for a variable that is set, or ``accepted``."""
    environment = Environment({name: value})
    for known in KNOWN:
        environment.is_set(known)
    try:
        environment.reject_unknown_variables(re.compile("AUTH_"))
    except SettingsError as error:
        return str(error)
    return "accepted"


class TestUnknownVariables:
    def test_that_look_misspelt_are_rejected_with_a_suggestion(self) -> None:
        misspelt = {
            "AUTH_REQIRED": "AUTH_REQUIRED",
            "AUTH_REQUIERD": "AUTH_REQUIRED",
            "auth_required": "AUTH_REQUIRED",
            "AUTHREQUIRED": "AUTH_REQUIRED",
            "AHTU_REQUIRED": "AUTH_REQUIRED",
            "LIVEKIT_URI": "LIVEKIT_URL",
            "LIVEKITURL": "LIVEKIT_URL",
            "LOG_LEVELS": "LOG_LEVEL",
        }
        assert {name: check(name) for name in misspelt} == {
            name: f"{name}: unknown setting; did you mean {meant}?"
            for name, meant in misspelt.items()
        }

    def test_with_a_name_like_that_of_authentication_are_rejected(self) -> None:
        texts = {name: check(name) for name in ("AUTH_SIGNING_KEY_PATH", "AUTH_X", "auth_mode")}
        wrong = {
            name: text
            for name, text in texts.items()
            if not text.startswith(f"{name}: unknown setting")
        }
        assert wrong == {}

    def test_of_other_programs_are_ignored(self) -> None:
        names = (
            "PATH",
            "HOSTNAME",
            "HOSTS",
            "LIVEKIT_CONFIG",
            "LIVEKIT_KEYS",
            "LIVEKIT_WS_URL",
            "NEXT_PUBLIC_LIVEKIT_URL",
            "DB_LOG_LEVEL",
            "DB_HEADERS_TIMEOUT_SECONDS",
            "REQUEST_TIMEOUT_SECONDS",
            "MAX_FILE_BYTES",
            "AUTHOR",
            "SSH_AUTH_SOCK",
        )
        assert {name: check(name) for name in names} == dict.fromkeys(names, "accepted")

    def test_that_are_empty_are_ignored(self) -> None:
        assert check("AUTH_REQIRED", "") == "accepted"

    def test_that_kubernetes_sets_are_ignored(self) -> None:
        links = [
            ("AUTH_SERVICE_HOST", "10.0.0.11"),
            ("AUTH_SERVICE_HOST", "fd00::11"),
            ("AUTH_SERVICE_PORT", "8080"),
            ("AUTH_SERVICE_PORT_HTTP", "8080"),
            ("AUTH_PORT", "tcp://10.0.0.11:8080"),
            ("AUTH_PORT", "sctp://10.0.0.11:132"),
            ("AUTH_PORT_132_SCTP_PROTO", "sctp"),
            ("AUTH_PORT_8080_TCP", "tcp://10.0.0.11:8080"),
            ("AUTH_PORT_8080_TCP_PROTO", "tcp"),
            ("AUTH_PORT_8080_TCP_ADDR", "10.0.0.11"),
        ]
        assert {link: check(*link) for link in links} == dict.fromkeys(links, "accepted")
        assert [name for name, _ in links if check(name) == "accepted"] == []
