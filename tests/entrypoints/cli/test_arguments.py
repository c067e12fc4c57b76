import json

import pytest

from domain.caller import TenantId
from entrypoints.cli.exit_status import ExitStatus
from entrypoints.command import run_command
from entrypoints.settings.settings import load_settings
from tests.support.command import COMMAND, run

WRONG = {
    "": "Missing command; see 'livekit-mute --help'\n",
    "nope": "No such command 'nope'",
    "mute": "Missing argument 'ROOM'",
    "mute r": "name an IDENTITY, or --all",
    "mute r a": "name a TRACK_SID or a --source, one of them",
    "mute r a TR --source camera": "name a TRACK_SID or a --source, one of them",
    "mute r a --source nope": "Invalid value for '--source': 'nope' is not one of ",
    "mute r a --except b --source camera": "--except needs --all",
    "mute r a --all": "--all takes no IDENTITY",
    "mute r a TR --gateway nope": "Invalid value for '--gateway'",
    "mute r a TR --nope": "No such option '--nope'",
    "mute r a TR --as": "Option '--as' requires an argument",
    "mute r a TR x\x1b": "Got unexpected extra argument (x\\x1b)",
    "mute r a \udcff": "Invalid value for '[TRACK_SID]': must be UTF-8",
    "mute _ a TR": "Invalid value for 'ROOM': must not be blank",
    "mute r _ TR": "Invalid value for '[IDENTITY]': must not be blank",
    "mute r a _": "Invalid value for '[TRACK_SID]': must not be blank",
    "mute r --all --except _": "Invalid value for '--except': must not be blank",
    "mute r a TR --as _": "a tenant id is 1 to 128 printable characters",
    "unmute r": "Missing argument 'IDENTITY'",
    "unmute r a": "name a TRACK_SID or a --source, one of them",
    "unmute r a --all": "No such option '--all'",
    "tracks": "Missing argument 'ROOM'",
    "tracks r _": "Invalid value for '[IDENTITY]': must not be blank",
    "tracks r --as _": "a tenant id is 1 to 128 printable characters",
    "audit": "Missing argument 'FILE...'",
    "audit x --room _": "Invalid value for '--room': must not be blank",
    "secret _": "a tenant id is 1 to 128 printable characters",
    "serve x": "Got unexpected extra argument (x)",
}
"""The message for each command line, in which ``_`` is a blank argument."""


class TestWrongArguments:
    @pytest.mark.parametrize("blank", ["", " "])
    @pytest.mark.parametrize("line", WRONG)
    def test_get_one_line_and_2(
        self, line: str, blank: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = [word.replace("_", blank) for word in line.split(" ") if word]
        assert run_command(arguments) == ExitStatus.USAGE
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"livekit-mute: {WRONG[line]}")

    def test_name_the_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        run_command(["mute", "r"])
        assert capsys.readouterr().err == (
            "livekit-mute: name an IDENTITY, or --all; see 'livekit-mute mute --help'\n"
        )


class TestHelp:
    @pytest.mark.parametrize("option", ["-h", "--help"])
    def test_lists_the_commands(self, option: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command([option]) == ExitStatus.DONE
        commands = capsys.readouterr().out.partition("Commands:\n")[2]
        assert [line.split()[0] for line in commands.splitlines()] == [
            "audit",
            "check",
            "mute",
            "secret",
            "serve",
            "tracks",
            "unmute",
        ]
        assert "..." not in commands  # click shortens what is too long

    @pytest.mark.parametrize("command", ["audit", "mute", "unmute", "tracks", "secret"])
    def test_has_examples_that_fit_on_a_terminal(
        self, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_command([command, "--help"]) == ExitStatus.DONE
        written = capsys.readouterr().out
        assert f"\n    livekit-mute {command} " in written
        assert max(map(len, written.splitlines())) <= 80

    def test_that_cannot_be_written_is_an_error(self) -> None:
        full = ["sh", "-c", 'exec "$0" "$@" >/dev/full', *COMMAND]
        demo = "demo-room --gateway in-memory"
        for line in ("--help", "mute --help", "secret", f"tracks {demo}", f"mute --all {demo}"):
            done = run(*line.split(), command=full)
            assert (done.returncode, done.stderr) == (
                ExitStatus.UNEXPECTED,
                "livekit-mute: cannot write to standard output: No space left on device\n",
            )


class TestSecret:
    def test_is_accepted_by_the_service(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command(["secret", "tenant \u00e4"]) == ExitStatus.DONE
        secret, line = capsys.readouterr().out.splitlines()
        settings = load_settings({"AUTH_API_SECRETS_JSON": line})
        assert settings.auth.api_secrets.tenants == {secret: TenantId("tenant \u00e4")}
        assert line.isascii()

    def test_is_random_and_long(self, capsys: pytest.CaptureFixture[str]) -> None:
        for _ in range(2):
            run_command(["secret"])
        first, line, second, _ = capsys.readouterr().out.splitlines()
        assert len(first) == len(second) == 64
        assert first != second
        assert json.loads(line) == [{"id": "default", "secret": first}]


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_has_a_script_for_each_shell(self, shell: str) -> None:
        done = run(_LIVEKIT_MUTE_COMPLETE=f"{shell}_source")
        assert (done.returncode, "livekit-mute" in done.stdout) == (0, True)

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("livekit-mute un", ["unmute"]),
            ("livekit-mute mute room --s", ["--source"]),
            ("livekit-mute mute room bob --source mic", ["microphone"]),
        ],
    )
    def test_completes_commands_options_and_sources(self, words: str, expected: list[str]) -> None:
        done = run(
            _LIVEKIT_MUTE_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        )
        assert [line.partition(",")[2] for line in done.stdout.splitlines()] == expected
