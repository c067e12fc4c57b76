"""A LiveKit double: LiveKit's RoomService over HTTP, with rooms that a test arranges.

As a class for tests in Python, and as a program with a control interface for tests in any language.
Knows what LiveKit promises and nothing of who calls it.
"""

from contract.livekit_double.double import LiveKitDouble

__all__ = ["LiveKitDouble"]
