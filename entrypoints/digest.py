"""What stands for a name that is not written, or not wholly."""

from hashlib import sha256


def name_digest(name: str) -> str:
    """Return what is written beside a name that is redacted or cut, to tell it from others."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
