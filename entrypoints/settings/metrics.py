"""The settings of metrics."""

from attrs import frozen

from entrypoints.settings.environment import Setting, SettingGroup
from entrypoints.settings.parsers import integer


@frozen(kw_only=True)
class MetricsSettings:
    """Where metrics are served; ``None`` is nowhere."""

    port: int | None = None


METRICS = SettingGroup(
    MetricsSettings,
    {
        "port": Setting(
            "METRICS_PORT",
            integer(0, 65535),
            "Port for `GET /metrics`, at the address `HOST`. The same as `PORT`: all who can send"
            " requests can read them. Default: no metrics.",
        ),
    },
)
