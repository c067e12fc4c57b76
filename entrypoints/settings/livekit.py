"""The settings of LiveKit."""

from attrs import frozen

from adapters.livekit.api_key import ApiKey
from adapters.livekit.limits import LiveKitLimits
from entrypoints.settings.environment import Environment, Setting, SettingGroup
from entrypoints.settings.parsers import integer, printable, seconds, url

_MIN_SECRET_BYTES = 32  # RFC 7518, section 3.2; LiveKit complains of less, too
_GUESSABLE = "whoever guesses it can do anything in LiveKit"


@frozen(kw_only=True)
class LiveKitSettings:
    """The LiveKit server; parts that are not set are empty."""

    url: str = ""
    api_key: ApiKey
    limits: LiveKitLimits
    timeout_s: float = 5.0

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that must still be set before LiveKit can be called."""
        named = {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key.name,
            "LIVEKIT_API_SECRET": self.api_key.secret,
        }
        return tuple(name for name, value in named.items() if not value)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should check."""
        length = len(self.api_key.secret.encode())
        if 0 < length < _MIN_SECRET_BYTES:
            return (f"LIVEKIT_API_SECRET is shorter than {_MIN_SECRET_BYTES} bytes: {_GUESSABLE}",)
        return ()


LIVEKIT = SettingGroup(
    LiveKitSettings,
    {
        "url": Setting(
            "LIVEKIT_URL",
            url("ws", "wss", "http", "https"),
            "URL of the LiveKit server: `ws://`, `wss://`, `http://` or `https://`.",
        ),
        "timeout_s": Setting(
            "LIVEKIT_TIMEOUT_SECONDS",
            seconds(60),
            "Timeout of all LiveKit calls of a request together, at most 60.",
        ),
    },
)

LIVEKIT_API_KEY = SettingGroup(
    ApiKey,
    {
        "name": Setting(
            "LIVEKIT_API_KEY", printable, "LiveKit API key.", file="LIVEKIT_API_KEY_FILE"
        ),
        "secret": Setting(
            "LIVEKIT_API_SECRET",
            printable,
            "Secret of the LiveKit API key.",
            file="LIVEKIT_API_SECRET_FILE",
            secret=True,
        ),
    },
)

LIVEKIT_LIMITS = SettingGroup(
    LiveKitLimits,
    {
        "token_life_s": Setting(
            "LIVEKIT_TOKEN_SECONDS",
            integer(10, 86_400),
            "Lifetime of the access tokens for LiveKit's API; each is reused for half of it.",
        ),
        "max_rooms_per_read": Setting(
            "LIVEKIT_MAX_ROOMS_PER_READ",
            integer(1, 16),
            "Maximum rooms per lookup, at most 16."
            " Lookups that arrive while another is in progress are sent as one batch.",
        ),
        "probe_delay_s": Setting(
            "LIVEKIT_PROBE_DELAY_SECONDS",
            seconds(60),
            "How long to wait for a mute before checking that the participant exists.",
        ),
        "max_connections": Setting(
            "LIVEKIT_MAX_CONNECTIONS",
            integer(1, 65536),
            "Maximum connections to LiveKit. A mute may use three for a while.",
        ),
    },
)


LIVEKIT_GROUPS = (LIVEKIT, LIVEKIT_API_KEY, LIVEKIT_LIMITS)
"""All of them, in the order of docs/settings.md."""


def load_livekit_settings(env: Environment) -> LiveKitSettings:
    """Read the settings of LiveKit.

    Raises:
        SettingsError: a variable is wrong.
    """
    return env.fill(
        LIVEKIT,
        api_key=env.fill(LIVEKIT_API_KEY, name="", secret=""),
        limits=env.fill(LIVEKIT_LIMITS),
    )
