"""How often something may happen."""

from attrs import frozen


@frozen(kw_only=True)
class Rate:
    """At most ``quota`` times within any ``window_s`` seconds."""

    quota: int
    window_s: int
