"""What a reload changed, in numbers."""

from collections.abc import Callable, Mapping

from entrypoints.settings.settings import Settings


def changes(before: Settings, after: Settings) -> Mapping[str, int]:
    """Count the tenants, API secrets and keys that were added, and those that were removed."""
    counts = {}
    for name, values in _COUNTED.items():
        old, new = values(before), values(after)
        counts[f"{name}_added"] = len(new - old)
        counts[f"{name}_removed"] = len(old - new)
    return counts


def _tenants(settings: Settings) -> frozenset[object]:
    return frozenset(settings.auth.api_secrets.tenants.values())


def _secrets(settings: Settings) -> frozenset[object]:
    return frozenset(settings.auth.api_secrets.tenants.items())


def _keys(settings: Settings) -> frozenset[object]:
    """Return LiveKit's API key, the issuer's keys of a file, and the key that signs requests."""
    auth, key = settings.auth, settings.livekit.api_key
    public = auth.tokens.public_keys.distinct if auth.tokens else frozenset()
    signing = [auth.service.signing_key.public] if auth.service else []
    return frozenset([(key.name, key.secret), *public, *signing])


_COUNTED: Mapping[str, Callable[[Settings], frozenset[object]]] = {
    "tenants": _tenants,
    "secrets": _secrets,
    "keys": _keys,
}
