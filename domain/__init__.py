"""What is true whatever serves the rooms and whoever asks: rooms, tracks, callers, strict JSON.

Frozen values and pure functions; the standard library and attrs only, no I/O, no async.
"""
