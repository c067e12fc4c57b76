import pytest

from entrypoints.settings.environment import SettingsError
from entrypoints.settings.rooms import load_room_settings
from entrypoints.settings.settings import SETTINGS
from tests.entrypoints.settings.test_settings import LIVEKIT


class TestRoomSettings:
    def test_are_those_of_livekit(self) -> None:
        settings = load_room_settings(
            {**LIVEKIT, "LIVEKIT_TIMEOUT_SECONDS": "2"}, gateway="livekit"
        )
        assert settings.livekit.url == LIVEKIT["LIVEKIT_URL"]
        assert settings.livekit.timeout_s == 2

    def test_are_not_stopped_by_settings_of_serving(self) -> None:
        names = {
            name
            for title, groups in SETTINGS.items()
            if title != "LiveKit"
            for group in groups
            for setting in group.settings.values()
            for name in setting.names
        }
        assert {"PORT", "AUTH_REQUIRED"} <= names
        variables = dict.fromkeys([*names, "AUTH_REQIRED", "JWT_SECRET"], "nonsense")
        with_others = load_room_settings({**LIVEKIT, **variables}, gateway="livekit")
        assert with_others == load_room_settings(LIVEKIT, gateway="livekit")

    @pytest.mark.parametrize("name", ["LIVEKIT_URI", "LIVEKIT_TIMEOUT", "LIVEKIT_TIMEOUT_SECOND"])
    def test_may_not_be_misspelt(self, name: str) -> None:
        with pytest.raises(SettingsError, match=f"^{name}: unknown setting; did you mean"):
            load_room_settings({name: "s3cret"}, gateway="livekit")

    def test_name_the_variable_that_is_wrong(self) -> None:
        with pytest.raises(SettingsError, match=r"^LIVEKIT_URL: must be a URL"):
            load_room_settings({"LIVEKIT_URL": "s3cret"}, gateway="livekit")
