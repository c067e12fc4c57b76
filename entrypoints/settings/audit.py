"""The settings of the audit trail."""

from typing import Literal

from attrs import frozen

from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import boolean

_WORDS = ("stderr", "stdout", "off")


@frozen(kw_only=True)
class AuditSettings:
    """Where the audit trail goes: the log, standard output, the file at a path, or nowhere."""

    log: str = "stderr"
    fsync: bool = False

    @property
    def kind(self) -> Literal["stderr", "stdout", "off", "file"]:
        """Which of these it is."""
        match self.log:
            case "stderr" | "stdout" | "off" as word:
                return word
            case _:
                return "file"


def _destination(value: str) -> str:
    if value.lower() in _WORDS:
        return value.lower()
    if "/" not in value or "\0" in value or "\n" in value:
        raise ValueError(
            "must be stderr, stdout, off, or the path of a file, which contains a slash:"
            " /var/log/livekit-mute/audit.jsonl"
        )
    return value


AUDIT = SettingGroup(
    AuditSettings,
    {
        "log": Setting(
            "AUDIT_LOG",
            _destination,
            "Where the [audit trail](docs/audit.md) goes: `stderr` (it is part of the log),"
            " `stdout`, the path of a file, which SIGHUP opens again, or `off` (the log does not"
            " name rooms, participants and tracks either).",
        ),
        "fsync": Setting(
            "AUDIT_FSYNC",
            boolean,
            "Whether each event of the file in `AUDIT_LOG` is on the disk before the next request"
            " is served. It costs [much time](docs/audit.md#what-it-costs).",
            needs=("AUDIT_LOG",),
        ),
    },
)


def load_audit_settings(env: Environment) -> AuditSettings:
    """Read the settings of the audit trail; the file is not touched.

    Raises:
        SettingsError: a variable is wrong, or has no effect.
    """
    settings = env.fill(AUDIT)
    if settings.fsync and settings.kind != "file":
        raise SettingsError("AUDIT_FSYNC", "needs AUDIT_LOG to be the path of a file")
    return settings
