"""LiveKit's RoomService, through livekit-api.

Nothing that LiveKit says in words leaves this folder: its answers hold secrets.
"""
