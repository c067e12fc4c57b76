"""Who is calling: the sources of identity, each an authenticator.

A token that a source does not know is refused; no failure of a source ever means "nobody".
"""
