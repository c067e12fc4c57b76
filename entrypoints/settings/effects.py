"""Variables that are set, and have no effect beside the others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from entrypoints.http.limits import Limits
from entrypoints.settings.auth import AUTHENTICATION, AuthSettings
from entrypoints.settings.environment import Environment, Setting, SettingGroup, listed
from entrypoints.settings.livekit import LIVEKIT_GROUPS, LiveKitSettings
from entrypoints.settings.names import auth_like
from entrypoints.settings.rates import RATES


def without_effect(
    env: Environment, auth: AuthSettings, livekit: LiveKitSettings, limits: Limits, *, demo: bool
) -> tuple[str, ...]:
    """Name each such variable, and say why it has no effect or what it needs."""
    reasons = {
        **_limits_exceeded(auth, livekit, limits),
        **dict(_authentication_unused(env, auth)),
        **dict(_livekit_unused(livekit, demo=demo)),
    }
    unknown = auth_like(env.variables, _settings(AUTHENTICATION))
    reasons |= {name: "is no setting" for name in unknown if name.startswith("AUTH_")}
    return tuple(f"{name} {reason}" for name, reason in reasons.items() if env.is_set(name))


def _limits_exceeded(
    auth: AuthSettings, livekit: LiveKitSettings, limits: Limits
) -> Mapping[str, str]:
    request = ("REQUEST_TIMEOUT_SECONDS", limits.request_timeout_s)
    share = ("MAX_IN_FLIGHT_PER_TENANT", limits.max_in_flight_per_tenant)
    token = ("MAX_TOKEN_BYTES", limits.max_token_bytes)
    probe = ("LIVEKIT_PROBE_DELAY_SECONDS", livekit.limits.probe_delay_s)
    calls = ("LIVEKIT_TIMEOUT_SECONDS", livekit.timeout_s)
    pairs = [
        (calls, request),
        (("AUTH_TIMEOUT_SECONDS", auth.timeout_s if auth.service else 0), request),
        (("BODY_TIMEOUT_SECONDS", limits.body_timeout_s), request),
        (("DRAIN_TIMEOUT_SECONDS", limits.drain_timeout_s), request),
        (("READY_TIMEOUT_SECONDS", limits.ready_timeout_s), request),
        (("READY_TIMEOUT_SECONDS", limits.ready_timeout_s), calls),
        (probe, request),
        (probe, calls),
        (("MAX_IN_FLIGHT", limits.max_in_flight), ("MAX_CONNECTIONS", limits.max_connections)),
        (share, ("MAX_IN_FLIGHT", limits.max_in_flight)),
        (token, ("MAX_LINE_BYTES", limits.max_line_bytes)),
    ]
    return {
        name: f"is {'longer' if name.endswith('_SECONDS') else 'larger'} than {other},"
        " which applies first"
        for (name, value), (other, bound) in pairs
        if value > bound
    }


def _authentication_unused(env: Environment, auth: AuthSettings) -> Iterator[tuple[str, str]]:
    for setting in _settings(AUTHENTICATION):
        if setting.used_by and not any(env.is_set(name) for name in setting.used_by):
            reason = f"has no effect: needs {listed(setting.used_by)} to be set too"
            yield setting.variable, reason
    if not auth.required:
        names = [name for setting in _settings(AUTHENTICATION) for name in setting.names]
        names.remove("AUTH_REQUIRED")
        names += ["MAX_TOKEN_BYTES", "MAX_IN_FLIGHT_PER_TENANT"]
        names += (name for one in _settings((RATES,)) for name in one.names)
        yield from ((name, "has no effect: authentication is off") for name in names)


def _livekit_unused(livekit: LiveKitSettings, *, demo: bool) -> Iterator[tuple[str, str]]:
    if demo:
        reason = "the in-memory demo does not call LiveKit"
    elif livekit.missing:
        reason = f"needs {listed(livekit.missing, 'and')} to be set too"
    else:
        return
    for setting in _settings(LIVEKIT_GROUPS):
        yield from ((name, f"has no effect: {reason}") for name in setting.names)


def _settings(groups: Sequence[SettingGroup[Any]]) -> Sequence[Setting]:
    return [setting for group in groups for setting in group.settings.values()]
