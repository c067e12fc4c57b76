"""Rules that depend neither on LiveKit nor on HTTP: rooms, tracks, callers, strict JSON.

Frozen values and pure functions; the standard library and attrs only, no I/O, no async.
"""
