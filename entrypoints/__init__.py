"""Inbound interfaces, and the composition of the program.

``http`` uses our callers' terms; ``settings``, ``container`` and ``serve`` choose the adapter for
each port and how long it lives.
"""
