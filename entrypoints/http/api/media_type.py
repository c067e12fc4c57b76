"""The media type of a request's body.

aiohttp parses it with the standard library's parser for e-mail, which takes long for some values
and fails on others.
"""

import re
from functools import lru_cache

_NAME = r"[\w!#$%&'*+.^`|~-]++"  # RFC 9110, 5.6.2; possessive, so that no value takes long
_PARAMETER = re.compile(rf'({_NAME})=({_NAME}|"(?:[^"\\]|\\.)*+")', re.ASCII)
_JSON = re.compile(
    rf"application/(?:json|[\w!#$&^.+-]+\+json)"
    rf"((?:[ \t]*+;[ \t]*+(?:{_PARAMETER.pattern})?+)*+)[ \t]*+",
    re.ASCII | re.IGNORECASE,
)


@lru_cache(maxsize=16)  # clients send few different ones
def is_json_in_utf8(content_type: str) -> bool:
    """Return whether a ``Content-Type`` is that of JSON (also ``+json``), in no other charset."""
    found = _JSON.fullmatch(content_type)
    return found is not None and all(
        value.strip('"').lower() == "utf-8"
        for name, value in _PARAMETER.findall(found[1])
        if name.lower() in ("charset", "charset*")
    )
