"""The gateway for a service that nobody has told where LiveKit is.

It fails every call in the port's words, so that nothing else asks whether LiveKit is there.
"""
