"""LiveKit's RoomService, through livekit-api's Twirp client.

No text of LiveKit's is passed on: its answers hold secrets.
"""
