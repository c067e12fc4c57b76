"""Traces: which one a request belongs to, what is sent along with our calls, and spans.

Without OpenTelemetry a request's trace is passed on as it came. No part of a trace names a room, a
caller, a track or a token.
"""
