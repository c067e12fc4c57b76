"""The room gateway of a service whose LiveKit settings are missing.

It fails every call with the port's own error, so that no other code asks whether LiveKit is set.
"""
