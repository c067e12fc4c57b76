"""Parsers of a setting's text; each raises ``ValueError``, which never shows the text."""

import ipaddress
import math
import re
from collections.abc import Callable

from yarl import URL

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_INTEGER = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_URL_HOST = re.compile(r"[A-Za-z0-9._:%-]+")  # Compose has underscores, IPv6 zones a percent sign
_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def without_quotes(value: str) -> str:
    """Accept a text that is not in quotation marks, which some tools keep (docker --env-file)."""
    text = value.strip()
    if text and text[0] == text[-1] and text[0] in "\"'`":
        raise ValueError(
            "begins and ends with a quotation mark, which is taken as part of the value"
            " (docker --env-file does not remove it); remove both"
        )
    return value


def boolean(value: str) -> bool:
    """Parse the usual words for true and false, in any case."""
    word = value.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def one_of(*words: str) -> Callable[[str], str]:
    """Make a parser of any of these words, in any case."""

    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return parse


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Make a parser of decimal digits within bounds, both included."""

    def parse(value: str) -> int:
        if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return parse


def seconds(maximum: float, *, zero: bool = False) -> Callable[[str], float]:
    """Make a parser of a number of seconds up to a bound; 0 is allowed with ``zero``."""

    def parse(value: str) -> float:
        number = float(value) if _DECIMAL.fullmatch(value) else math.nan
        if not 0 <= number <= maximum or (number == 0 and not zero):
            lower = "from 0" if zero else "above 0"
            raise ValueError(f"must be a number of seconds {lower}, at most {maximum:g}")
        return number

    return parse


def printable(value: str) -> str:
    """Accept printable ASCII without spaces."""
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must be printable ASCII without spaces")
    return value


def host(value: str) -> str:
    """Accept an IP address or a host name."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if not _HOST_NAME.fullmatch(value):
            raise ValueError("must be an IP address or a host name") from None
        return value


def url(*schemes: str, query: bool = False) -> Callable[[str], str]:
    """Make a parser of URLs without a user or a fragment; a query is allowed with ``query``."""
    *most, last = (f"{scheme}://" for scheme in schemes)
    without = "a user or a fragment" if query else "a user, a query or a fragment"
    problem = (
        f"must be a URL that starts with {', '.join(most)} or {last}, followed by one host and,"
        f" if any, a port from 1 to 65535, without {without}"
    )

    def parse(value: str) -> str:
        printable(value)
        try:
            found = URL(value)
            bare = found.with_user(None).with_fragment(None)
            host_is_valid = _URL_HOST.fullmatch(found.raw_host or "")
            valid = found.scheme in schemes and host_is_valid and found.port
            (found.host or "").encode("idna")  # as the resolver will do
        except ValueError:
            raise ValueError(problem) from None
        if not valid or found != bare or value.endswith("#") or (not query and "?" in value):
            raise ValueError(problem)
        return value

    return parse


def jwks_url(value: str) -> str:
    """Accept an ``https://`` URL, or an ``http://`` URL on this machine."""
    if not is_secure(url("https", "http", query=True)(value)):
        raise ValueError("must be https://, unless the key server is on this machine")
    return value


def is_secure(address: str) -> bool:
    """Return whether a URL uses TLS or stays on this machine, so that answers cannot be forged."""
    found = URL(address)
    if found.scheme == "https" or found.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(found.host or "").is_loopback
    except ValueError:
        return False
