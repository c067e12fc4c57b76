"""Promises that others may build on: suites that hold an adapter to its port, and a LiveKit double.

Knows the ports and the domain, never an adapter: a suite that knew one would bend to it.
"""
