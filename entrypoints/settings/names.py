"""Names of variables that are no settings, but that an operator may have taken for one."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from entrypoints.settings.environment import Setting, SettingsError

_MISSPELLING_CUTOFF = 0.885  # one wrong letter in the nine of LOG_LEVEL
_MIN_COMPARED_CHARACTERS = 6
_OF_OTHER_PROGRAMS = re.compile(r"(AUTH[0NZ]|OAUTH2?)_")
"""Beginnings of other programs' names that differ from ours in a letter."""
_PREFIX = (
    r"(LIVEKIT(?=_MUTE|_AUTH)|MUTE|SAYNA|APP|SERVICE|IS|NO|USE|ENABLED?|DISABLED?|REQUIRE[SD]?)_"
)
_AUTH_NAME = re.compile(
    rf"({_PREFIX})*("
    r"AUTH(_\w+|REQ|REQUIRED|ENABLED|KEY|MODE|SECRET|SERVICE|TOKEN)?"
    r"|(AUTHENTICATION|AUTHORIZATION|AUTHN|AUTHZ)(_\w+)?"
    r"|(AUTH0|JWT|OAUTH2?|OIDC)_(AUDIENCE|CLIENT_ID|CLIENT_SECRET|DOMAIN|ISSUER(_URL)?|JWKS_UR[IL])"
    r"|JWT_(ID_CLAIM|KEY|PUBLIC_KEY|SECRET|SECRET_KEY|SIGNING_KEY)"
    r"|API_(KEY|SECRET|TOKEN)S?|API_SECRETS_JSON|SECRETS_JSON|TENANT_SECRETS?|BEARER_TOKENS?"
    r"|JWKS_UR[IL]|SIGNING_KEY|ALLOW_NO_ID"
    r")(_FILE|_PATH)?"
)
"""Names by which other programs ask for authentication; ``docs/operation.md`` lists them."""
_KUBERNETES_SERVICE_LINK = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)\w*)"
    r"=((tcp|udp|sctp)(://[\w.:\[\]]+)?|[\d.]+|[\da-f:]+)"
    r"|\w+_PORT=(tcp|udp|sctp)://[\w.:\[\]]+"
)
"""The variables that Kubernetes sets by itself for each service, as ``NAME=value``."""
NO_SOURCE = "no source of identity is set; to start without authentication, set AUTH_REQUIRED=false"
_OUR_BEGINNINGS = ("AUTH_", "LIVEKIT_")
_BEGINNINGS = ("AUTH_", "AUTH_API_", "AUTH_JWT_")
_MEANT = {
    "AUTH_JWKS_FILE": "AUTH_JWT_PUBLIC_KEY_PATH",
    "AUTH_JWKS_PATH": "AUTH_JWT_PUBLIC_KEY_PATH",
    "LIVEKIT_TIMEOUT": "LIVEKIT_TIMEOUT_SECONDS",
}


def reject_misspelt(variables: Mapping[str, str], settings: Iterable[Setting]) -> None:
    """Reject a variable whose name is almost that of a setting.

    Variables that Kubernetes sets are ignored, and so is the name of a setting with a prefix
    (``DB_MAX_CONNECTIONS``), which belongs to another program.

    Raises:
        SettingsError: there is one; the text suggests the name that was probably meant.
    """
    hints = _hints(settings)
    for name in _unknown(variables, settings):
        hint = _closest(_normalized(name), hints)
        if hint:
            raise SettingsError(name, f"unknown setting; {hint}")


def reject_auth_like(variables: Mapping[str, str], settings: Iterable[Setting]) -> None:
    """Reject a variable by which another program would ask for authentication.

    Raises:
        SettingsError: there is one; the text suggests the name that was probably meant.
    """
    hints = _hints(settings)
    for name in auth_like(variables, settings):
        rest = re.sub(rf"({_PREFIX}|(AUTH0?|OAUTH2?|OIDC)_)*", "", _normalized(name), count=1)
        ours = [hints[f"{start}{rest}"] for start in _BEGINNINGS if f"{start}{rest}" in hints]
        raise SettingsError(name, "; ".join([f"unknown setting, and {NO_SOURCE}", *ours[:1]]))


def auth_like(variables: Mapping[str, str], settings: Iterable[Setting]) -> Sequence[str]:
    """Return the variables that are no settings, and whose names suggest authentication."""
    unknown = _unknown(variables, settings)
    return [name for name in unknown if _AUTH_NAME.fullmatch(_normalized(name))]


def _unknown(variables: Mapping[str, str], settings: Iterable[Setting]) -> Iterator[str]:
    known = {name for setting in settings for name in setting.names}
    for name in sorted(variables.keys() - known):
        value = variables[name]
        if value and not _KUBERNETES_SERVICE_LINK.fullmatch(f"{name}={value}"):
            yield name


def _hints(settings: Iterable[Setting]) -> Mapping[str, str]:
    """Return the names that are taken for that of a setting, each with its hint.

    The type of the value may be left out at the end (``AUTH_API_SECRETS``), and ``_FILE`` or
    ``_PATH`` stands for the variable that names a file.
    """
    meant = {}
    hints = {}
    for setting in settings:
        name = setting.variable
        short = re.sub(r"^(AUTH_.+)_(JSON|PATH|SECONDS|URL)$", r"\1", name)
        file = setting.path_variable
        for stem in (name, short):
            meant[stem] = name
            for ending in ("_FILE", "_PATH"):
                if file:
                    meant[stem + ending] = file
                elif name.startswith(_OUR_BEGINNINGS):
                    hints[stem + ending] = f"{name} cannot be read from a file"
    hints |= {name: f"did you mean {ours}?" for name, ours in (meant | _MEANT).items()}
    return {name: hint for name, hint in hints.items() if len(name) >= _MIN_COMPARED_CHARACTERS}


def _normalized(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.upper()).strip("_")


def _closest(name: str, hints: Mapping[str, str]) -> str | None:
    if _OF_OTHER_PROGRAMS.match(name):
        return None
    similar = difflib.get_close_matches(name, hints, cutoff=_MISSPELLING_CUTOFF)
    letters = [sorted(word) for word in name.split("_")]
    reordered = [one for one in hints if [sorted(word) for word in one.split("_")] == letters]
    candidates = (*similar, *reordered)
    return next((hints[one] for one in candidates if not name.endswith(f"_{one}")), None)
