"""What a check found."""

from enum import StrEnum

from attrs import frozen


class Verdict(StrEnum):
    """How a check ended; programs rely on the words."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@frozen
class Finding:
    """One line: what was checked, how it ended, what was seen, and what to do about it."""

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""
