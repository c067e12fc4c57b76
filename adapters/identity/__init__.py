"""Sources of identity, each an ``Authenticator``.

A source rejects tokens that it does not know. No failure ever makes the caller anonymous.
"""
