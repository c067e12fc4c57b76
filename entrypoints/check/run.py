"""``livekit-mute check``: the settings, then everything that they name."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from logging.handlers import MemoryHandler

from entrypoints.audit_log import verify_audit_log
from entrypoints.check.finding import Finding, Verdict
from entrypoints.check.identity import check_sources
from entrypoints.check.livekit import check_livekit
from entrypoints.check.rates import check_rates
from entrypoints.check.report import Report, settings_set
from entrypoints.cli.exit_status import ExitStatus
from entrypoints.settings.environment import SettingsError
from entrypoints.settings.settings import Settings, load_settings
from entrypoints.tracing.tracing import make_tracing
from entrypoints.version import VERSION

_CORRECT = "Correct that variable: docs/settings.md and docs/operation.md say what it may be."


def run_check(*, as_json: bool) -> int:
    """Check the settings and what they name, write a line for each, and return the exit status.

    Raises:
        CannotWriteError: standard output cannot be written.
    """
    # Not closed: that would wait for a thread of the resolver, beyond the timeout.
    return asyncio.Runner().run(_run(os.environ, Report(as_json=as_json)))


async def _run(variables: Mapping[str, str], report: Report) -> int:
    try:
        settings = load_settings(variables)
        verify_audit_log(settings.audit)
    except SettingsError as error:
        report.finding(Finding("settings", Verdict.FAILED, str(error), _CORRECT))
        return ExitStatus.UNEXPECTED
    report.settings(settings_set(variables))
    failed = False
    async for found in findings(settings):
        report.finding(found)
        failed |= found.verdict is Verdict.FAILED
    return ExitStatus.UNEXPECTED if failed else ExitStatus.DONE


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Check everything that valid settings name, one after the other."""
    yield Finding("settings", Verdict.OK, "valid")
    unset = "LiveKit is not configured"  # which is a finding of its own
    for problem in (*settings.warnings, *await _tracing_problems()):
        if not problem.startswith(unset):
            yield Finding("settings", Verdict.WARNING, problem)
    async for finding in check_livekit(settings.livekit):
        yield finding
    async for finding in check_sources(settings.auth):
        yield finding
    async for finding in check_rates(settings):
        yield finding


async def _tracing_problems() -> Sequence[str]:
    """Say what spans lack, and what OpenTelemetry warns of while it reads its variables."""
    package, _, _ = make_tracing.__module__.rpartition(".")
    warned = MemoryHandler(capacity=100, flushLevel=sys.maxsize)
    logging.getLogger(package).addHandler(warned)
    tracing = make_tracing(os.environ, urls={}, version=VERSION)
    await tracing.close()
    return [*tracing.problems, *(f"tracing: {vars(one)['reason']}" for one in warned.buffer)]
