"""deploy/systemd: what systemd says of the units, and the service of their settings."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from entrypoints.settings.settings import Settings, load_settings
from tests.entrypoints.settings.test_variables import declared_settings
from tests.support.imports import PROJECT

FOLDER = PROJECT / "deploy/systemd"
COMMAND = "/opt/livekit-mute/bin/livekit-mute"
UNITS = ("livekit-mute.service", "livekit-mute@.service")
EXAMPLE = (FOLDER / "livekit-mute.env").read_text()
MAX_EXPOSURE = "15"
"""Of 100, which a service without any confinement has."""

of_each_unit = pytest.mark.parametrize("unit", UNITS)


def lines(unit: str) -> Sequence[tuple[str, str]]:
    """Return the options of a unit and their values, in their order."""
    return re.findall(r"^(\w+)=(.*)$", (FOLDER / unit).read_text(), re.MULTILINE)


def values(unit: str, name: str) -> Sequence[str]:
    return [text for each, text in lines(unit) if each == name]


def environment(unit: str) -> Mapping[str, str]:
    return dict(text.split("=", 1) for text in values(unit, "Environment"))


def example(*, whole: bool) -> dict[str, str]:
    """Return the variables of the example; as a whole with those that are commented out."""
    pattern = r"^#?([A-Z_]+)=(.*)$" if whole else r"^([A-Z_]+)=(.*)$"
    return dict(re.findall(pattern, EXAMPLE, re.MULTILINE))


def settings_of(variables: Mapping[str, str], credentials: Path) -> Settings:
    """Read the settings as the unit's process does."""
    (credentials / "livekit-api-secret").write_text("s3cret-" * 5)
    (credentials / "api-secrets.json").write_text('[{"id": "tenant-a", "secret": "s3cret-a"}]')
    named = environment(UNITS[0]).items()
    files = {name: text.replace("%d", str(credentials)) for name, text in named}
    return load_settings({**files, **variables})


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units where a command exists, and the template as an instance."""
    for unit in UNITS:
        text = (FOLDER / unit).read_text().replace(COMMAND, "/bin/true")
        (tmp_path / unit.replace("@", "@3001")).write_text(text)
    return tmp_path


@pytest.mark.systemd
@of_each_unit
class TestSystemd:
    def test_finds_nothing_wrong(self, installed: Path, unit: str) -> None:
        assert analyze("verify", installed / unit.replace("@", "@3001")) == ""

    def test_finds_the_service_well_confined(self, installed: Path, unit: str) -> None:
        path = installed / unit.replace("@", "@3001")
        analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", path)


def analyze(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@of_each_unit
class TestUnits:
    def test_have_settings_that_are_known(self, unit: str) -> None:
        known = {name for setting in declared_settings() for name in setting.names}
        assert environment(unit).keys() - known == set()

    def test_hand_over_the_credentials_that_they_name(self, unit: str) -> None:
        named = {text for text in environment(unit).values() if text.startswith("%d/")}
        assert named == {f"%d/{each.split(':')[0]}" for each in values(unit, "LoadCredential")}

    def test_give_the_service_time_to_finish(self, tmp_path: Path, unit: str) -> None:
        limits = settings_of(example(whole=True), tmp_path).limits
        [timeout_s] = values(unit, "TimeoutStopSec")
        assert float(timeout_s) > limits.leave_delay_s + limits.drain_timeout_s + 5

    def test_let_it_open_what_it_needs(self, tmp_path: Path, unit: str) -> None:
        [limit] = values(unit, "LimitNOFILE")
        assert int(limit) >= settings_of(example(whole=True), tmp_path).max_descriptors

    def test_do_not_start_it_again_with_wrong_settings(self, unit: str) -> None:
        assert values(unit, "RestartPreventExitStatus") == ["2"]
        assert values(unit, "SuccessExitStatus") == ["143 130"]


class TestTemplate:
    def test_differs_in_what_instances_do_not_share(self) -> None:
        single, template = map(lines, UNITS)
        assert [text for text in template if text not in single] == [
            ("Description", "Mutes and unmutes tracks in LiveKit rooms (port %i)"),
            ("Environment", "PORT=%i"),
            ("EnvironmentFile", "-/etc/livekit-mute/%i.env"),
            ("LogsDirectory", "livekit-mute-%i"),
        ]
        assert sorted(name for name, _ in {*single} - {*template}) == [
            "Description",
            "LogsDirectory",
        ]

    def test_has_the_port_of_the_instance(self) -> None:
        """The file of all instances would override it, so it sets none."""
        assert environment(UNITS[1])["PORT"] == "%i"
        assert "PORT" not in example(whole=False)


class TestExample:
    def test_has_settings_that_are_known(self) -> None:
        known = {name for setting in declared_settings() for name in setting.names}
        assert example(whole=True).keys() - known == set()

    @pytest.mark.parametrize("whole", [False, True], ids=["as it is", "as a whole"])
    def test_is_accepted(self, tmp_path: Path, whole: bool) -> None:
        assert settings_of(example(whole=whole), tmp_path).warnings == ()

    def test_has_no_comments_behind_values(self) -> None:
        """For systemd they are a part of the value."""
        assert [text for text in example(whole=True).values() if "#" in text] == []
