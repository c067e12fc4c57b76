"""LiveKit's RoomService: its messages and error codes from livekit-api, over our HTTP client.

No text of LiveKit's is passed on: its answers hold secrets.
"""
