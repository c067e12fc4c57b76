import re
from collections.abc import Callable

import pytest

from entrypoints.environment import Environment, SettingsError
from entrypoints.parsers import boolean, integer, one_of, printable, seconds


class TestParsers:
    @pytest.mark.parametrize(
        ("parse", "text", "value"),
        [
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
            (one_of("json", "console"), "JSON", "json"),
            (printable, "a!~", "a!~"),
        ],
    )
    def test_take_what_they_are_for(
        self, parse: Callable[[str], object], text: str, value: object
    ) -> None:
        assert parse(text) == value

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
    )
    def test_refuse_the_rest_without_repeating_it(
        self, parse: Callable[[str], object], texts: list[str]
    ) -> None:
        for text in texts:
            with pytest.raises(ValueError, match=r"^must be ") as refusal:
                parse(text)
            assert f" {text} " not in f" {refusal.value} "


class TestEnvironment:
    def test_takes_empty_for_unset(self) -> None:
        assert Environment({"A": ""}).read("A", boolean, default=True)

    def test_names_the_variable_and_never_its_value(self) -> None:
        with pytest.raises(SettingsError) as refusal:
            Environment({"A": "s3cret"}).read("A", boolean, default=True)
        assert str(refusal.value) == "A: must be true or false"

    def test_names_an_odd_variable_in_one_line(self) -> None:
        with pytest.raises(SettingsError) as refusal:
            Environment({"A\nB": "s3cret"}).read("A\nB", boolean, default=True)
        assert str(refusal.value) == "'A\\nB': must be true or false"

    def test_keeps_values_out_of_its_repr(self) -> None:
        assert "s3cret" not in repr(Environment({"A": "s3cret"}))


OURS = (
    "AUTH_REQUIRED",
    "HEADERS_TIMEOUT_SECONDS",
    "HOST",
    "LIVEKIT_API_KEY",
    "LIVEKIT_URL",
    "LOG_LEVEL",
    "MAX_LINE_BYTES",
)


class TestStrays:
    @pytest.fixture
    def refuse(self) -> Callable[..., None]:
        def refuse_strays(name: str, value: str = "s3cret") -> None:
            environment = Environment({name: value})
            for ours in OURS:
                environment.read(ours, str, "")
            environment.refuse_strays(re.compile("AUTH_"))

        return refuse_strays

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("AUTH_REQIRED", "AUTH_REQUIRED"),
            ("AUTH_REQUIERD", "AUTH_REQUIRED"),
            ("auth_required", "AUTH_REQUIRED"),
            ("AUTHREQUIRED", "AUTH_REQUIRED"),
            ("AHTU_REQUIRED", "AUTH_REQUIRED"),
            ("LIVEKIT_URI", "LIVEKIT_URL"),
            ("LIVEKITURL", "LIVEKIT_URL"),
            ("LOG_LEVELS", "LOG_LEVEL"),
        ],
    )
    def test_that_look_misspelt_are_refused_with_what_was_meant(
        self, refuse: Callable[..., None], name: str, meant: str
    ) -> None:
        with pytest.raises(SettingsError) as refusal:
            refuse(name)
        assert str(refusal.value) == f"{name}: there is no such setting; is {meant} meant?"

    @pytest.mark.parametrize("name", ["AUTH_SIGNING_KEY_PATH", "AUTH_X", "auth_mode"])
    def test_that_show_that_authentication_was_meant_are_refused(
        self, refuse: Callable[..., None], name: str
    ) -> None:
        with pytest.raises(SettingsError, match=f"^{name}: there is no such setting"):
            refuse(name)

    @pytest.mark.parametrize(
        "name",
        [
            "PATH",
            "HOSTNAME",
            "HOSTS",
            "LIVEKIT_CONFIG",
            "LIVEKIT_KEYS",
            "LIVEKIT_WS_URL",
            "NEXT_PUBLIC_LIVEKIT_URL",
            "DB_LOG_LEVEL",
            "REQUEST_TIMEOUT_SECONDS",
            "MAX_FILE_BYTES",
            "AUTHOR",
            "SSH_AUTH_SOCK",
        ],
    )
    def test_that_are_somebody_elses_are_left_alone(
        self, refuse: Callable[..., None], name: str
    ) -> None:
        refuse(name)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
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
        ],
    )
    def test_that_kubernetes_sets_are_left_alone(
        self, refuse: Callable[..., None], name: str, value: str
    ) -> None:
        refuse(name, value)
        with pytest.raises(SettingsError):
            refuse(name, "s3cret")
