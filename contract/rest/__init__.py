"""The REST suite: proves any server of this endpoint, in any language, clause by clause.

Knows the endpoint from outside only: HTTP, and the LiveKit double in front of which the server
under test runs. It imports nothing of ours outside of this package, and no server.
"""
