"""What the command writes: settings without secrets, and findings for people and programs."""

import json
import re
from collections.abc import Mapping

import pytest

from entrypoints.check.finding import Finding, Verdict
from entrypoints.check.report import Report, settings_set
from tests.entrypoints.cli.conftest import Cli
from tests.entrypoints.cli.terminal import terminal
from tests.entrypoints.settings.test_variables import FIELDS, declared_settings
from tests.support.command import COMMAND

SECRETS = {"AUTH_API_SECRETS_JSON", "AUTH_API_SECRET", "LIVEKIT_API_SECRET"}


class TestSettings:
    def test_are_shown_without_secrets(self) -> None:
        shown = settings_set({name: text for name, (text, _, _) in FIELDS.items()})
        changed = {name for name, text in shown.items() if text != FIELDS[name][0]}
        assert changed == {*SECRETS, "RATE_LIMIT_STORAGE_URL"}
        assert {shown[name] for name in SECRETS} == {"***"}

    def test_are_shown_without_the_queries_of_urls(self) -> None:
        shown = settings_set({"AUTH_SERVICE_URL": "https://auth.example.com/a?code=s3cret"})
        assert shown == {"AUTH_SERVICE_URL": "https://auth.example.com/a?***"}

    def test_are_shown_without_the_users_of_urls(self) -> None:
        shown = settings_set({"RATE_LIMIT_STORAGE_URL": "redis://me:s3cret@127.0.0.1:6379/0"})
        assert shown == {"RATE_LIMIT_STORAGE_URL": "redis://***@127.0.0.1:6379/0"}

    def test_are_shown_if_they_name_a_file_with_a_secret(self) -> None:
        given = {one.file: "/run/secrets/x" for one in declared_settings() if one.file}
        assert settings_set(given) == given

    def test_are_left_out_if_they_are_not_set(self) -> None:
        assert settings_set({"PORT": "", "PATH": "/bin"}) == {}

    def test_are_secret_if_their_names_say_so(self) -> None:
        secret = {one.variable for one in declared_settings() if one.secret}
        names = {one.variable for one in declared_settings() if "SECRET" in one.variable}
        assert secret == SECRETS == names - {"AUTH_API_SECRET_ID"}


class TestOutput:
    async def test_is_a_line_for_each_setting_and_finding(
        self, variables: Mapping[str, str]
    ) -> None:
        done = await Cli({**variables, "LIVEKIT_API_KEY": "other"})("check")
        lines = done.stdout.splitlines()
        assert done.status == 1
        assert re.fullmatch(r"LIVEKIT_URL +http://127\.0\.0\.1:\d+/", lines[0])
        assert re.fullmatch(r"LIVEKIT_API_SECRET +\*\*\*", lines[2])
        assert "ok       settings                valid" in lines
        failed = next(number for number, line in enumerate(lines) if line.startswith("FAILED"))
        assert lines[failed] == (
            "FAILED   livekit key             answered 401: LiveKit does not know the API key"
        )
        assert lines[failed + 1].startswith("         Compare LIVEKIT_API_KEY and ")

    def test_keeps_the_longest_name_apart_from_its_text(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        finding = Finding("authentication service", Verdict.OK, "refuses an invented token")
        Report(as_json=False).finding(finding)
        assert capsys.readouterr().out == (
            "ok       authentication service  refuses an invented token\n"
        )

    async def test_is_json_on_demand(self, variables: Mapping[str, str]) -> None:
        done = await Cli({**variables, "LIVEKIT_URL": "ftp://x"})("check", "--json")
        [found] = map(json.loads, done.stdout.splitlines())
        assert (found["check"], found["verdict"]) == ("settings", "failed")
        assert found["text"].startswith("LIVEKIT_URL: must be ")
        assert found["remedy"]

    @pytest.mark.parametrize(
        ("no_color", "expected"), [({}, "\x1b[31mFAILED"), ({"NO_COLOR": "1"}, "FAILED")]
    )
    def test_has_colours_on_a_terminal(self, no_color: Mapping[str, str], expected: str) -> None:
        variables = {"AUTH_REQUIRED": "false", **no_color}
        with terminal(*COMMAND, "check", variables=variables) as shown:
            assert shown.read_all() == 1
        assert f"{expected:8}" in shown.written
        assert ("\x1b[33mwarning" in shown.written) is not bool(no_color)
