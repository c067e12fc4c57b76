"""The settings of rate limits."""

import re
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from domain.rate import Rate
from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import printable

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(
    rf"([0-9]{{1,9}})\s*(?:/|per)\s*([0-9]{{1,9}})?\s*({'|'.join(_UNITS)})s?", re.IGNORECASE
)
_MAX_QUOTA = 100_000
_MAX_WINDOW_S = _UNITS["day"]
_URL = re.compile(
    r"rediss?://([^/?#@:\[\]]*(:[^/?#@:\[\]]*)?@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?"
    r"(/[0-9]{0,5})?"
)
_PACKAGES = ("limits", "redis")


@frozen(kw_only=True)
class RateLimitSettings:
    """The rate of each tenant, if there is to be one, and the Redis that counts it.

    The URL may contain a password. If it is empty, each process counts on its own.
    """

    per_tenant: Rate | None = None
    storage_url: str = field(default="", repr=False)

    @property
    def secrets(self) -> frozenset[str]:
        """The values that must not be shown."""
        password = urlsplit(self.storage_url).password or ""
        return frozenset({password, unquote(password)} - {""})


def rate(value: str) -> Rate:
    """Parse a rate: ``50/second``, ``50 per second`` or ``100 per 5 minutes``."""
    found = _RATE.fullmatch(value)
    quota = int(found[1]) if found else 0
    window_s = int(found[2] or 1) * _UNITS[found[3].lower()] if found else 0
    if not 1 <= quota <= _MAX_QUOTA or not 1 <= window_s <= _MAX_WINDOW_S:
        raise ValueError(
            "must be a rate like 50/second or 100 per 5 minutes:"
            f" from 1 to {_MAX_QUOTA}, within at most a day"
        )
    return Rate(quota=quota, window_s=window_s)


def _storage_url(value: str) -> str:
    printable(value)
    try:
        valid = _URL.fullmatch(value) and urlsplit(value).port != 0
    except ValueError:  # the port is too large
        valid = False
    if not valid:
        raise ValueError(
            "must be a URL like redis://:password@host:6379/0, or with rediss:// for TLS, without a"
            " query; write the characters :/?#[]@% of a password as %3A and so on"
        )
    return value


RATES = SettingGroup(
    RateLimitSettings,
    {
        "per_tenant": Setting(
            "RATE_LIMIT_PER_TENANT",
            rate,
            "How many requests a tenant may send: `50/second`, `1000 per minute`,"
            " `100 per 5 minutes`; `second`, `minute`, `hour` or `day`, and at most 100000. Further"
            " ones get 429 `RATE_LIMITED`, see [`docs/rate-limits.md`](docs/rate-limits.md)."
            " Default: no limit.",
        ),
        "storage_url": Setting(
            "RATE_LIMIT_STORAGE_URL",
            _storage_url,
            "URL of the Redis in which several processes count together:"
            " `redis://:password@host:6379/0`, or `rediss://` for TLS. Needs the extra `redis`."
            " Default: each process counts on its own.",
            needs=("RATE_LIMIT_PER_TENANT",),
        ),
    },
)


def load_rate_settings(env: Environment) -> RateLimitSettings:
    """Read the settings of rate limits; Redis is not called.

    Raises:
        SettingsError: a variable is wrong, or packages are missing.
    """
    settings = env.fill(RATES)
    if settings.storage_url and not all(map(find_spec, _PACKAGES)):
        problem = "needs packages that are not installed: pip install 'livekit-mute[redis]'"
        raise SettingsError("RATE_LIMIT_STORAGE_URL", problem)
    return settings
