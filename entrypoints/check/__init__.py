"""``livekit-mute check``: what the settings are, and whether what they name can be used.

Uses adapters one step at a time, where ``serve`` uses them together, and changes nothing anywhere:
no room is touched. Every check is bounded in time and ends with a finding, never with an exception.
"""
