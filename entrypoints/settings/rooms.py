"""The settings of whatever acts in rooms: where these are."""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from entrypoints.settings.environment import Environment
from entrypoints.settings.livekit import LIVEKIT_GROUPS, LiveKitSettings, load_livekit_settings
from entrypoints.settings.names import reject_misspelt

GatewayKind = Literal["livekit", "in-memory"]


@frozen(kw_only=True)
class RoomSettings:
    """Where the rooms are, and LiveKit's settings."""

    gateway: GatewayKind
    livekit: LiveKitSettings


def load_room_settings(variables: Mapping[str, str], *, gateway: GatewayKind) -> RoomSettings:
    """Read these settings alone; variables of other settings have no effect.

    Raises:
        SettingsError: a variable of LiveKit is wrong, or looks misspelt.
    """
    reject_misspelt(variables, [one for group in LIVEKIT_GROUPS for one in group.settings.values()])
    return RoomSettings(gateway=gateway, livekit=load_livekit_settings(Environment(variables)))
